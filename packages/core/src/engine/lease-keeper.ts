/** Renews the leases of all operations under way with one timer, and knows which of them may still be used. */
import type { Lease, Ledger } from '../ledger/ledger.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Linked } from '../runtime/linked-list.ts';
import { LinkedList } from '../runtime/linked-list.ts';

/** A lease as its owner sees it, on its own clock. */
export interface HeldLease extends Linked {
  readonly lease: Lease;
  /** By `monotonic()`; counted from before the request left, so it never outlasts the store's view. */
  validUntil: number;
  /** Taken over by somebody else, for certain. */
  lost: boolean;
  owner: LeaseOwner | undefined;
}

/** Who drives an operation under a lease. */
export interface LeaseOwner {
  /** Told once, when it is lost. */
  onLeaseLost(): void;
}

/** The leases of one instance. */
export class LeaseKeeper {
  readonly #ledger: Ledger | undefined;
  readonly #clock: Clock;
  readonly #leaseMs: number | undefined;
  readonly #renew: boolean;
  #held = new LinkedList<HeldLease>();
  #timer: Timer | undefined;

  /** `renew: false` for hosts that freeze between requests. Without `leaseMs` each lease covers its whole call. */
  constructor(ledger: Ledger | undefined, clock: Clock, leaseMs: number | undefined, renew: boolean) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#renew = renew;
  }

  /** Begins to keep a lease that was asked for at `requestedAt` (`monotonic()`). */
  hold(lease: Lease, requestedAt: number): HeldLease {
    const validUntil = requestedAt + lease.leaseMs;
    const held: HeldLease = {
      lease,
      validUntil,
      lost: false,
      owner: undefined,
      list: undefined,
      previous: undefined,
      next: undefined,
    };
    this.#held.push(held);
    if (this.#timer === undefined && this.#renew) this.#arm();
    return held;
  }

  /** Ends it. */
  drop(held: HeldLease): void {
    held.list?.remove(held);
  }

  /** How long the lease of a call has to last that may take `callMs`: where nothing renews it, and nobody said otherwise, as long as that. */
  leaseMsFor(callMs: number, safetyMarginMs: number): number {
    return this.#leaseMs ?? callMs + Math.ceil(safetyMarginMs);
  }

  get size(): number {
    return this.#held.size;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#held = new LinkedList();
  }

  #arm(): void {
    this.#timer = this.#clock.timer((this.#leaseMs ?? 0) / 3, () => void this.#renewDue(), { background: true });
  }

  async #renewDue(): Promise<void> {
    this.#timer = undefined;
    const due = [...this.#held].filter((held) => !held.lost);
    if (due.length === 0 || this.#ledger === undefined) return;
    this.#arm();
    const requestedAt = this.#clock.monotonic();
    const renewed = await this.#ledger.renewAll(due.map((held) => held.lease)).catch(() => undefined);
    if (renewed === undefined) return; // the ledger is away; validUntil says how long we may still act
    due.forEach((held, i) => {
      if (renewed[i] === true) held.validUntil = Math.max(held.validUntil, requestedAt + held.lease.leaseMs);
      else if (this.#held.has(held) && !held.lost) {
        held.lost = true;
        held.owner?.onLeaseLost();
      }
    });
  }
}
