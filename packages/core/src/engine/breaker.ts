/** Stops sending to a server that keeps failing, and lets single calls find out when it is back. */
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';

/** When to open and for how long. */
export interface BreakerOptions {
  /** Server faults in a row that open it. */
  readonly failureThreshold: number;
  /** How long it stays open, ms; jittered by up to a quarter, so that many processes do not come back at once. */
  readonly openMs: number;
  /** Calls let through at once while half-open; all others are refused, not queued. */
  readonly halfOpenProbes: number;
}

/** `'admitted'`; `'probing'`, one of the few that a half-open breaker lets through; or the duration in ms after which asking again makes sense. */
export type Admittance = 'admitted' | 'probing' | { readonly retryInMs: number };

/** The states of Nygard, "Release It!", 2007: closed, open, half-open. Fed by server faults only. */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onChange: (state: 'closed' | 'open' | 'half-open') => void;
  #failures = 0;
  #openUntil: number | undefined;
  #probes = 0;
  #period = 0;

  constructor(
    options: BreakerOptions,
    clock: Clock,
    random: Random,
    onChange: (state: 'closed' | 'open' | 'half-open') => void,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#onChange = onChange;
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#openUntil === undefined) return 'closed';
    return this.#clock.monotonic() < this.#openUntil ? 'open' : 'half-open';
  }

  /** Asks to send. A probing one must be followed by `succeeded`, `failed` or `withdrawn`. */
  admit(): Admittance {
    const retryInMs = this.#refusesFor();
    if (retryInMs !== undefined) return { retryInMs };
    if (this.#openUntil === undefined) return 'admitted';
    if (this.#probes === 0) this.#onChange('half-open');
    this.#probes += 1;
    return 'probing';
  }

  /** For how long a call would be refused now, ms; `undefined`: it would be admitted. */
  #refusesFor(): number | undefined {
    if (this.#openUntil === undefined) return undefined;
    const leftMs = this.#openUntil - this.#clock.monotonic();
    if (leftMs > 0) return leftMs;
    return this.#probes < this.#options.halfOpenProbes ? undefined : this.#options.openMs / 10;
  }

  /** Closed, so that nothing has to be asked or told. */
  get isClosed(): boolean {
    return this.#openUntil === undefined;
  }

  /** The server answered, whatever it said. */
  succeeded(): void {
    this.#failures = 0;
    if (this.#openUntil === undefined) return;
    this.#openUntil = undefined;
    this.#probes = 0;
    this.#onChange('closed');
  }

  /** A server fault: unreachable, silent, broken off, 5xx. */
  failed(): void {
    this.#failures += 1;
    const wasOpen = this.#openUntil !== undefined;
    if (!wasOpen && this.#failures < this.#options.failureThreshold) return;
    this.#openUntil = this.#clock.monotonic() + this.#options.openMs * (1 + this.#random.next() / 4);
    this.#probes = 0;
    this.#period += 1;
    this.#onChange('open');
  }

  /** Grows each time it opens: says which probes are counted together. */
  get period(): number {
    return this.#period;
  }

  /** A probing send did not take place, or proves nothing about the server. `period`: the one that it was admitted in. */
  withdrawn(period: number): void {
    if (period === this.#period && this.#probes > 0) this.#probes -= 1;
  }
}
