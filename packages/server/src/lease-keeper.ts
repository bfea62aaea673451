/** Renews the leases of all tools that run, with one timer, so that a slow tool is not taken for a dead one. */
import type { Clock, Lease, Ledger, Timer } from '@mcp-tx/core/ledger';

/** The leases of one process. */
export class LeaseKeeper {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #held = new Set<Lease>();
  #timer: Timer | undefined;

  constructor(ledger: Ledger, clock: Clock, leaseMs: number, onError: (error: unknown) => void) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#everyMs = leaseMs / 3;
    this.#onError = onError;
  }

  hold(lease: Lease): void {
    this.#held.add(lease);
    if (this.#timer === undefined) this.#arm();
  }

  drop(lease: Lease): void {
    this.#held.delete(lease);
    if (this.#held.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#clock.timer(this.#everyMs, () => void this.#renew(), { background: true });
  }

  /** A lease that is lost needs nothing: its tool runs on, and what it answers then ends the doubt. */
  async #renew(): Promise<void> {
    this.#arm();
    await this.#ledger.renewAll([...this.#held]).catch(this.#onError);
  }
}
