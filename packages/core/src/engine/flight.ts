/** An operation under way in this process: who waits for it, until when, and what they are told when they stop waiting. */

import type { DeliveryMode } from '../outcome/call-result.ts';
import type { Outcome } from '../outcome/outcome.ts';
import type { TxErrorCode, TxErrorDetails } from '../outcome/tx-error.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import type { EnginePorts } from './ports.ts';

/** The operation ended, and this is how. */
export interface EndedWith {
  readonly kind: 'ended';
  readonly outcome: Outcome;
  /** The SDK's own object, where nothing was recorded and so nobody else can get it. */
  readonly object?: object;
  readonly attempts: number;
  readonly mode: DeliveryMode;
  /** The answer is a stored one. */
  readonly duplicate: boolean;
  readonly recorded: boolean;
  readonly resolvedBy?: string;
}

/** Nothing was sent, or nothing ran. Each caller gets an error of its own, with this in it. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: TxErrorCode;
  readonly message: string;
  readonly details: TxErrorDetails;
  readonly attempts: number;
}

/** What a caller learns of an operation. */
export type FlightEnd =
  | EndedWith
  | Refused
  /** The caller stopped waiting while a send was unanswered; the engine listens on. */
  | { readonly kind: 'detached'; readonly reason: StopReason; readonly attempts: number };

/** A {@link Refused}. */
export function refused(code: TxErrorCode, message: string, details: TxErrorDetails = {}, attempts = 0): Refused {
  return { kind: 'refused', code, message, details, attempts };
}

/** Why a caller stopped waiting. */
export type StopReason = 'timeout' | 'aborted' | 'shutdown';

/** One caller. */
interface Waiter {
  /** Gives the caller its answer and forgets it. */
  readonly answer: (end: FlightEnd) => void;
}

/** The meeting point of the callers of one operation and its single driver. */
export class Flight {
  readonly plan: CallPlan;
  readonly startedAt: number;
  /** Latest deadline of all callers, by `monotonic()`. */
  deadline: number;
  /** Sends that are unanswered: bytes may have left. */
  unanswered = 0;
  attempts = 0;
  /** The end, known but not yet recorded: callers whose deadline passes get it as `recorded: false`. */
  known: FlightEnd | undefined;
  /** A caller asked that the send be cancelled, and nobody else waits. */
  cancelRequested = false;
  /** Why the last caller left. */
  stopReason: StopReason = 'timeout';
  /** Told once, when the last caller has left. */
  onAbandoned: (() => void) | undefined;
  /** Gives back the admission slot; called once, when the operation ends or nobody waits for it any more. */
  leaveSlot: (() => void) | undefined;
  readonly #waiters = new Set<Waiter>();
  readonly #finished: (() => void)[] = [];
  #stop: AbortController | undefined;
  #isAbandoned = false;

  constructor(plan: CallPlan, startedAt: number) {
    this.plan = plan;
    this.startedAt = startedAt;
    this.deadline = startedAt + plan.timeoutMs;
  }

  /** Nobody waits any more: nothing further may be sent. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Aborted when the last caller leaves; ends waits in line, backoffs and connection attempts. */
  get stopSignal(): AbortSignal {
    this.#stop ??= new AbortController();
    if (this.#isAbandoned) this.#stop.abort();
    return this.#stop.signal;
  }

  /** Waits for the end as one of its callers, to the caller's own deadline or abort. */
  wait(plan: CallPlan, startedAt: number, ports: EnginePorts): Promise<FlightEnd> {
    const deadline = startedAt + plan.timeoutMs;
    if (deadline > this.deadline) this.deadline = deadline;
    return new Promise((resolve) => {
      const { signal } = plan;
      const onAbort = (): void => leave('aborted');
      const timer = ports.deadlines.add(deadline, plan.timeoutMs, () => leave('timeout'));
      const waiter: Waiter = {
        answer: (end) => {
          timer.cancel();
          signal?.removeEventListener('abort', onAbort);
          resolve(end);
        },
      };
      const leave = (reason: StopReason): void => {
        waiter.answer(this.#stoppedWaiting(reason));
        this.#remove(waiter, reason, reason === 'aborted' && plan.onAbort === 'cancel');
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Answers all callers. */
  finish(end: FlightEnd): void {
    for (const waiter of this.#waiters) waiter.answer(end);
    this.#waiters.clear();
    this.#isAbandoned = true;
    this.#freeSlot();
    for (const done of this.#finished) done();
  }

  /** Sends everybody away and ends the listening, as `close()` does when its grace is over. */
  shutDown(): void {
    this.stopReason = 'shutdown';
    for (const waiter of this.#waiters) waiter.answer(this.#stoppedWaiting('shutdown'));
    this.#waiters.clear();
    this.#abandon();
  }

  /** Calls `done` once the operation is no longer under way. */
  onFinished(done: () => void): void {
    this.#finished.push(done);
  }

  #stoppedWaiting(reason: StopReason): FlightEnd {
    if (this.known !== undefined) return this.known;
    return { kind: 'detached', reason, attempts: this.attempts };
  }

  #remove(waiter: Waiter, reason: StopReason, cancel: boolean): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0 || this.#isAbandoned) return;
    this.cancelRequested = cancel;
    this.stopReason = reason;
    this.#abandon();
  }

  #abandon(): void {
    this.#isAbandoned = true;
    this.#stop?.abort();
    this.#freeSlot();
    this.onAbandoned?.();
  }

  #freeSlot(): void {
    const leave = this.leaveSlot;
    this.leaveSlot = undefined;
    leave?.();
  }
}
