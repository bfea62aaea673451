/** An operation under way in this process: who waits for it, until when, and what they are told when they stop waiting. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import type { Progress } from '../policy/settings.ts';
import { stricter } from '../policy/tool-safety.ts';
import type { Deadline, Deadlines, Sleeper } from '../runtime/deadlines.ts';
import type { Linked, LinkedList } from '../runtime/linked-list.ts';
import type { Admission } from './admission.ts';
import type { FlightEnd, StopReason } from './flight-end.ts';
import type { Inbox } from './inbox.ts';
import { REVIVED, STOPPED } from './inbox.ts';
import type { HeldLease } from './lease-keeper.ts';

/** One caller: answered once, by the end, by its own deadline or by its own abort. */
class Waiter implements Sleeper {
  readonly #flight: Flight;
  readonly #plan: CallPlan;
  readonly #deadline: Deadline;
  readonly #resolve: (end: FlightEnd) => void;
  readonly #onAbort: (() => void) | undefined;

  constructor(flight: Flight, plan: CallPlan, deadlines: Deadlines, at: number, resolve: (end: FlightEnd) => void) {
    this.#flight = flight;
    this.#plan = plan;
    this.#resolve = resolve;
    this.#deadline = deadlines.add(at, plan.timeoutMs, this);
    this.#onAbort = plan.signal === undefined ? undefined : () => this.#leave('aborted');
    if (this.#onAbort !== undefined) plan.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  answer(end: FlightEnd): void {
    this.#deadline.cancel();
    if (this.#onAbort !== undefined) this.#plan.signal?.removeEventListener('abort', this.#onAbort);
    this.#resolve(end);
  }

  /** Passes progress on. What the listener throws, or its promise rejects with, is `failed`'s. */
  tell(progress: Progress, failed: (error: unknown) => void): void {
    try {
      const returned: unknown = this.#plan.onProgress?.(progress);
      if (returned instanceof Promise) returned.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Its deadline has passed. */
  wake(): void {
    this.#leave('timeout');
  }

  #leave(reason: StopReason): void {
    this.answer(this.#flight.endSoFar(reason));
    this.#flight.remove(this, reason, reason === 'aborted' && this.#plan.onAbort === 'cancel');
  }
}

/** What a flight needs of its driver. No closures: stored in a field, each keeps its call in memory until the next full collection. */
export interface Driver {
  /** Absent without a ledger. */
  readonly held: HeldLease | undefined;
  /** Where it hears that the last caller has left, and that one came after that. */
  readonly inbox: Inbox;
  /** The lease may have run out: others may be at work by now, whatever is known of this owner's sends. */
  readonly mayBeOvertaken: boolean;
}

/** The meeting point of the callers of one operation and its single driver. */
export class Flight implements Linked {
  readonly plan: CallPlan;
  readonly startedAt: number;
  /** Latest deadline of all callers, by `monotonic()`. */
  deadline: number;
  /** The strictest mode of all callers: it decides what may be sent from now on. */
  strictest: DeliveryMode;
  attempts = 0;
  /** A send is unanswered, or ended without saying whether the tool ran. */
  mayHaveRun = false;
  /** Somebody else may have driven the operation, and the ledger has not said how it stands: so with a key until it is claimed. */
  othersUnknown: boolean;
  /** The end, known but not yet recorded: callers whose deadline passes get it as `recorded: false`. */
  known: FlightEnd | undefined = undefined;
  /** A caller asked that the send be cancelled, and nobody else waits. */
  cancelRequested = false;
  /** Why the last caller left. */
  stopReason: StopReason = 'timeout';
  /** Who drives it now, or did last. */
  driver: Driver | undefined = undefined;
  /** The last caller has left at some time. */
  wasAbandoned = false;
  /** The gate that the flight has a slot of, until it ends or nobody waits for it any more. */
  slotOf: Admission | undefined = undefined;
  /** Gives back the place that a half-open breaker gave this call; set while no send has taken it along. */
  returnProbe: (() => void) | undefined = undefined;
  list: LinkedList<Linked> | undefined = undefined;
  previous: Linked | undefined = undefined;
  next: Linked | undefined = undefined;
  /** A caller has asked for progress. */
  isListenedTo = false;
  #isAbandoned = false;
  #isFinished = false;
  #waiters: Waiter[] = [];
  #finished: (() => void)[] | undefined = undefined;
  #stop: AbortController | undefined = undefined;

  constructor(plan: CallPlan, startedAt: number) {
    this.plan = plan;
    this.startedAt = startedAt;
    this.deadline = startedAt + plan.timeoutMs;
    this.strictest = plan.mode;
    this.othersUnknown = plan.idempotencyKey !== undefined;
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
  wait(plan: CallPlan, startedAt: number, deadlines: Deadlines): Promise<FlightEnd> {
    const at = startedAt + plan.timeoutMs;
    if (at > this.deadline) this.deadline = at;
    if (plan.onProgress !== undefined) this.isListenedTo = true;
    this.strictest = stricter(this.strictest, plan.mode);
    if (this.#isAbandoned && !this.#isFinished) this.#revive();
    return new Promise((resolve) => {
      this.#waiters.push(new Waiter(this, plan, deadlines, at, resolve));
    });
  }

  /** Answers all callers. */
  finish(end: FlightEnd): void {
    this.#isFinished = true;
    this.#answerAll(end);
    this.#isAbandoned = true;
    this.freeSlot();
    this.withdrawProbe();
    if (this.#finished !== undefined) for (const done of this.#finished) done();
  }

  /** Passes progress on to every caller who waits. */
  tellProgress(progress: Progress, failed: (error: unknown) => void): void {
    for (const waiter of this.#waiters) waiter.tell(progress, failed);
  }

  /** Sends everybody away and ends the listening, as `close()` does when its grace is over. */
  shutDown(): void {
    this.stopReason = 'shutdown';
    this.#answerAll(this.endSoFar('shutdown'));
    this.#abandon();
  }

  /** Calls `done` once the operation is no longer under way. */
  onFinished(done: () => void): void {
    this.#finished ??= [];
    this.#finished.push(done);
  }

  /** What a caller learns who stops waiting now. */
  endSoFar(reason: StopReason): FlightEnd {
    const { attempts, mayHaveRun, known } = this;
    const othersUnknown = this.othersUnknown || this.driver?.mayBeOvertaken === true;
    const isStale = othersUnknown && known?.kind === 'refused' && known.code !== 'IN_PROGRESS';
    return known === undefined || isStale ? { kind: 'detached', reason, attempts, mayHaveRun, othersUnknown } : known;
  }

  /** A caller has left. The last one decides what becomes of the send. */
  remove(waiter: Waiter, reason: StopReason, cancel: boolean): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    if (this.#waiters.length > 0 || this.#isAbandoned) return;
    this.cancelRequested = cancel;
    this.stopReason = reason;
    this.#abandon();
  }

  #answerAll(end: FlightEnd): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.answer(end);
  }

  /** Somebody waits again: what may be sent again may be sent again. */
  #revive(): void {
    this.#isAbandoned = false;
    this.#stop = undefined;
    this.cancelRequested = false;
    this.stopReason = 'timeout';
    this.driver?.inbox.put(REVIVED);
  }

  #abandon(): void {
    this.#isAbandoned = true;
    this.wasAbandoned = true;
    this.#stop?.abort();
    this.freeSlot();
    this.withdrawProbe();
    this.driver?.inbox.put(STOPPED);
  }

  /** Gives the admission slot back early. */
  freeSlot(): void {
    const gate = this.slotOf;
    this.slotOf = undefined;
    gate?.leave(this.plan.argumentsLength);
  }

  /** Lets another call find out whether the server is back. */
  withdrawProbe(): void {
    const give = this.returnProbe;
    this.returnProbe = undefined;
    give?.();
  }
}
