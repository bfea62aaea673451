/** Lets a bounded number of calls through to one server at a time; a bounded number more wait in line, none past its deadline. */
import { McpTxError } from '../outcome/tx-error.ts';

/** The bounds. */
export interface AdmissionLimits {
  /** Calls under way at once. */
  readonly maxInFlight: number;
  /** Calls waiting in line. */
  readonly maxQueued: number;
  /** Sum of the argument texts of all calls under way and in line, UTF-16 code units. */
  readonly maxQueuedLength: number;
}

/** A place in line. */
interface Waiter {
  readonly admit: () => void;
}

/** The gate. First come, first served; a waiter that leaves makes room at once. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #queue: Waiter[] = [];
  #inFlight = 0;
  #length = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Takes a slot if one is free right now. */
  tryEnter(length: number): boolean {
    if (this.#inFlight >= this.#limits.maxInFlight || this.#queue.length > 0 || !this.#fits(length)) return false;
    this.#inFlight += 1;
    this.#length += length;
    return true;
  }

  /**
   * Waits in line for a slot. `signal` ends the wait: the promise then resolves to `false` and no slot was taken.
   *
   * @throws McpTxError `OVERLOADED` when the line is full, too
   */
  enter(length: number, signal: AbortSignal): Promise<boolean> {
    if (this.#queue.length >= this.#limits.maxQueued || !this.#fits(length)) {
      throw new McpTxError(
        'OVERLOADED',
        `${this.#inFlight} calls are under way and ${this.#queue.length} wait; this one was not accepted`,
      );
    }
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        this.#length -= length;
        resolve(false);
      };
      const admit = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const waiter: Waiter = { admit };
      this.#queue.push(waiter);
      this.#length += length;
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives a slot back; the next in line gets it. `length` is what was given on entering. */
  leave(length: number): void {
    this.#length -= length;
    const next = this.#queue.shift();
    if (next === undefined) this.#inFlight -= 1;
    else next.admit(); // the slot changes hands
  }

  #fits(length: number): boolean {
    return this.#length + length <= this.#limits.maxQueuedLength || this.#length === 0;
  }
}
