/** Guesses, from how slots changed hands of late, how long a line takes: nobody should wait for a turn that comes too late. */
import type { Clock } from '../runtime/clock.ts';

/**
 * While a line waits, every slot is taken; so slots change hands as fast as the server works, and a call takes the number of
 * slots times the distance of two changes (Little, "A proof for the queuing formula L = λW", 1961). A moving mean over about
 * two rounds of all slots; a line that has dissolved keeps the mean for the next one.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #slots: number;
  #lastAt: number | undefined;
  #intervalMs: number | undefined;

  constructor(clock: Clock, slots: number) {
    this.#clock = clock;
    this.#slots = slots;
  }

  /** A line forms. */
  lineForms(): void {
    this.#lastAt = this.#clock.monotonic();
  }

  /** A slot has gone to the first in line. */
  slotChangedHands(): void {
    const now = this.#clock.monotonic();
    const tookMs = now - (this.#lastAt ?? now);
    this.#lastAt = now;
    this.#intervalMs ??= tookMs;
    this.#intervalMs += (tookMs - this.#intervalMs) / (2 * this.#slots);
  }

  /** How long a call takes once it has its slot, ms; 0 while nothing is known. */
  get serviceMs(): number {
    return (this.#intervalMs ?? 0) * this.#slots;
  }

  /** How long a call takes that finds `ahead` others in line, its own time on the server included, ms. */
  expectedMs(ahead: number): number {
    return (this.#intervalMs ?? 0) * (ahead + 1 + this.#slots);
  }
}
