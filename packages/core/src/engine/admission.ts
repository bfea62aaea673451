/** Lets a bounded number of calls through to one server at a time; a bounded number more wait in line, none for a turn that comes too late. */
import { McpTxError } from '../outcome/tx-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { Pace } from './pace.ts';

/** The bounds. */
export interface AdmissionLimits {
  /** Calls under way at once. */
  readonly maxInFlight: number;
  /** Calls waiting in line. */
  readonly maxQueued: number;
  /** Sum of the argument texts of all calls under way and in line, UTF-16 code units. */
  readonly maxQueuedLength: number;
}

/** A call with a deadline by `monotonic()`; it moves when somebody with more time joins the call. */
interface Timed {
  readonly deadline: number;
}

/** A place in line. */
interface Waiter {
  readonly call: Timed;
  readonly admit: () => void;
  readonly refuse: (error: McpTxError) => void;
}

/**
 * The gate. First come, first served; a waiter that leaves makes room at once. Who could not be answered in time is refused:
 * at once when the line is too long for it, and at its turn when what is left is less than a call takes. The first in line is
 * never refused by such a guess, so that a server that has become fast again is noticed.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #queue: Waiter[] = [];
  #inFlight = 0;
  #length = 0;

  constructor(limits: AdmissionLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#pace = new Pace(clock, limits.maxInFlight);
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
   * @throws McpTxError `OVERLOADED` when the line is full, or too long for this call
   */
  enter(length: number, call: Timed, signal: AbortSignal): Promise<boolean> {
    if (this.#queue.length >= this.#limits.maxQueued || !this.#fits(length)) {
      throw overloaded(`${this.#inFlight} calls are under way and ${this.#queue.length} wait`);
    }
    const expectedMs = this.#pace.expectedMs(this.#queue.length);
    if (this.#queue.length === 0) this.#pace.lineForms();
    else if (expectedMs > call.deadline - this.#clock.monotonic()) {
      throw overloaded(
        `with ${this.#queue.length} ahead of it, an answer would come in about ${Math.ceil(expectedMs)} ms, too late`,
      );
    }
    return this.#standInLine(length, call, signal);
  }

  #standInLine(length: number, call: Timed, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        this.#length -= length;
        resolve(false);
      };
      const admit = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const refuse = (error: McpTxError): void => {
        signal.removeEventListener('abort', leave);
        this.#length -= length;
        reject(error);
      };
      const waiter: Waiter = { call, admit, refuse };
      this.#queue.push(waiter);
      this.#length += length;
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives a slot back; the next in line gets it. `length` is what was given on entering. */
  leave(length: number): void {
    this.#length -= length;
    const next = this.#next();
    if (next === undefined) this.#inFlight -= 1;
    else next.admit(); // the slot changes hands
  }

  /** The first in line whose answer can still come in time, or the last one. The others are told. */
  #next(): Waiter | undefined {
    if (this.#queue.length === 0) return undefined;
    this.#pace.slotChangedHands();
    const { serviceMs } = this.#pace;
    const latest = this.#clock.monotonic() + serviceMs;
    for (;;) {
      const first = this.#queue.shift() as Waiter;
      if (this.#queue.length === 0 || first.call.deadline >= latest) return first;
      first.refuse(overloaded(`its turn came, but a call takes about ${Math.ceil(serviceMs)} ms and less is left`));
    }
  }

  #fits(length: number): boolean {
    return this.#length + length <= this.#limits.maxQueuedLength || this.#length === 0;
  }
}

function overloaded(because: string): McpTxError {
  return new McpTxError('OVERLOADED', `${because}; nothing was sent`);
}
