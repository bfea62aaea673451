/** Owns the lists that the memory ledger keeps its entries in: linked through the entries themselves, so that moving one costs nothing. */

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

/** Entries by how long they live, so that each list is in order of expiry and only its head need be looked at. */
export class ExpiryLists<T extends Linked> {
  readonly #lists = new Map<number, LinkedList<T>>();
  readonly #expiresAt: (entry: T) => number;

  constructor(expiresAt: (entry: T) => number) {
    this.#expiresAt = expiresAt;
  }

  push(entry: T, lifetimeMs: number): void {
    let list = this.#lists.get(lifetimeMs);
    if (list === undefined) {
      list = new LinkedList();
      this.#lists.set(lifetimeMs, list);
    }
    list.push(entry);
  }

  /** Hands out, and takes out, up to `limit` entries that expire at `now` or earlier. */
  *take(now: number, limit: number): Generator<T> {
    let left = limit;
    for (const [lifetimeMs, list] of this.#lists) {
      for (
        let entry = list.first;
        left > 0 && entry !== undefined && this.#expiresAt(entry) <= now;
        entry = list.first
      ) {
        list.remove(entry);
        left -= 1;
        yield entry;
      }
      if (list.size === 0) this.#lists.delete(lifetimeMs);
    }
  }
}
