// Owns virtual time: what happens when, in which order, and what no longer happens because its process is gone or paused.

/** Whose continuation an event is. An event of nobody is the world's own: a message on its way, a store at work. */
export interface Owner {
  /** Its events never happen any more. */
  readonly isGone: boolean;
  /** Its events wait until then. */
  readonly pausedUntil: number;
}

/** Something that will happen. */
export interface Posted {
  cancel(): void;
}

interface Entry {
  at: number;
  readonly order: number;
  readonly owner: Owner | undefined;
  run: (() => void) | undefined;
}

/** One virtual event loop. Everything that follows from an event without waiting happens before the next one. */
export class EventLoop {
  readonly #heap: Entry[] = [];
  #order = 0;
  #now = 0;
  #steps = 0;

  /** Virtual time, ms since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** Events that have happened. */
  get steps(): number {
    return this.#steps;
  }

  /** Lets `run` happen `delayMs` from now. Events of one instant happen in the order in which they were posted. */
  post(delayMs: number, run: () => void, owner?: Owner): Posted {
    const entry: Entry = { at: this.#now + Math.max(0, delayMs), order: this.#order, owner, run };
    this.#order += 1;
    this.#push(entry);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  /** Lets the next event happen, and all that follows from it without waiting. `false`: nothing is left before `until`. */
  async step(until: number): Promise<boolean> {
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      if (next.run === undefined || next.owner?.isGone === true) continue;
      if (next.owner !== undefined && next.owner.pausedUntil > next.at) {
        next.at = next.owner.pausedUntil;
        this.#push(next);
        continue;
      }
      this.#now = Math.max(this.#now, next.at);
      this.#steps += 1;
      next.run();
      await macrotask();
      return true;
    }
    this.#now = Math.max(this.#now, until);
    return false;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (isBefore(heap[above] as Entry, entry)) break;
      heap[at] = heap[above] as Entry;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Entry, heap[below] as Entry)) below += 1;
      if (isBefore(last, heap[below] as Entry)) break;
      heap[at] = heap[below] as Entry;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** All microtasks that are waiting, and those that they make, run before this resolves. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
