/** Owns the order in which the memory ledger's entries expire. */
import type { Linked } from '../runtime/linked-list.ts';
import { LinkedList } from '../runtime/linked-list.ts';

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
