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

  /** The entry that was pushed last of those that live so long. */
  last(lifetimeMs: number): T | undefined {
    return this.#lists.get(lifetimeMs)?.last;
  }

  /** An entry that expires at `now` or earlier, which the caller then takes out of its list. */
  due(now: number): T | undefined {
    for (const [lifetimeMs, { first }] of this.#lists) {
      if (first === undefined) this.#lists.delete(lifetimeMs);
      else if (this.#expiresAt(first) <= now) return first;
    }
    return undefined;
  }
}
