/** Owns lists that are linked through their entries themselves: putting one in, taking it out and moving it cost next to nothing. */

/** An entry that stands in at most one list at a time. */
export interface Linked {
  list: LinkedList<Linked> | undefined;
  previous: Linked | undefined;
  next: Linked | undefined;
}

/** Entries in the order in which they came. */
export class LinkedList<T extends Linked> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get first(): T | undefined {
    return this.#first;
  }

  get last(): T | undefined {
    return this.#last;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts `entry` last, after taking it out of whatever list it stood in. */
  push(entry: T): void {
    entry.list?.remove(entry);
    entry.list = this as unknown as LinkedList<Linked>; // a list only ever hands out what was pushed into it
    entry.previous = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#size += 1;
  }

  has(entry: T): boolean {
    return entry.list === (this as unknown);
  }

  remove(entry: T): void {
    const previous = entry.previous as T | undefined;
    const next = entry.next as T | undefined;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    entry.list = undefined;
    entry.previous = undefined;
    entry.next = undefined;
    this.#size -= 1;
  }

  *[Symbol.iterator](): Generator<T> {
    let entry = this.#first;
    while (entry !== undefined) {
      const following = entry.next as T | undefined; // read first: the reader may move this one
      yield entry;
      entry = following;
    }
  }
}
