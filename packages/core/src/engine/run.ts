/** The state of one operation while this process drives it. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { InDoubtReason } from '../outcome/outcome.ts';
import type { Classification } from '../policy/classify.ts';
import type { Driver, Flight } from './flight.ts';
import type { Send } from './inbox.ts';
import { Inbox } from './inbox.ts';
import type { HeldLease, LeaseOwner } from './lease-keeper.ts';
import type { EnginePorts } from './ports.ts';
import type { Silence } from './silence.ts';

/** What the driver starts with. */
export interface RunStart {
  readonly ports: EnginePorts;
  readonly flight: Flight;
  /** Absent without a ledger. */
  readonly held: HeldLease | undefined;
  /** Number of the last send made. */
  readonly attempt: number;
  readonly attemptLimit: number;
  /** The next send is already recorded. */
  readonly marked: boolean;
  /** The mode that holds: the stricter of ours and a former owner's. */
  readonly mode: DeliveryMode;
  /** A send of a former owner may have taken effect. */
  readonly inherited: boolean;
}

const NONE: readonly Send[] = [];

/** One operation being driven. */
export class Run implements Driver, LeaseOwner {
  readonly ports: EnginePorts;
  readonly flight: Flight;
  readonly held: HeldLease | undefined;
  readonly attemptLimit: number;
  mode: DeliveryMode;
  readonly inbox: Inbox = new Inbox();
  unanswered: readonly Send[] = NONE;
  attempt: number;
  marked: boolean;
  /** Some send may have taken effect, and its own end did not say. */
  doubt: InDoubtReason | undefined;
  /** The last sign of a send that may have taken effect, by `monotonic()`. */
  doubtSentAt: number;
  /** Every send that may have taken effect is dead: it cannot take effect any more. */
  doubtIsDead: boolean;
  /** Re-authentication or a new session was tried. */
  recovered = false;
  /** This owner has sent. */
  hasSent = false;
  /** Attempts that did not complete, sent or not. */
  failures = 0;
  /** How often the server has said that it runs the operation. */
  asks = 0;
  /** The next send is for the answer to one that the server runs, and has the number of the last: it is no further attempt. */
  asksAgain = false;
  ledgerError: unknown;
  /** Of the server about the latest send, where it is measured. */
  silence: Silence | undefined = undefined;

  constructor(start: RunStart) {
    this.ports = start.ports;
    this.flight = start.flight;
    this.held = start.held;
    this.attemptLimit = start.attemptLimit;
    this.mode = start.mode;
    this.attempt = start.attempt;
    this.marked = start.marked;
    this.doubt = start.inherited ? 'owner-lost' : undefined;
    this.doubtSentAt = start.inherited ? start.ports.clock.monotonic() : 0; // no two clocks agree: what was inherited may have been sent just now
    this.doubtIsDead = !start.inherited;
    start.flight.mayHaveRun = this.doubt !== undefined;
    start.flight.driver = this;
    if (start.held !== undefined) start.held.owner = this;
  }

  /** Number of the next send. */
  get nextAttempt(): number {
    return this.asksAgain ? this.attempt : this.attempt + 1;
  }

  get mayBeOvertaken(): boolean {
    return this.held !== undefined && this.ports.clock.monotonic() > this.held.validUntil;
  }

  onLeaseLost(): void {
    const { operationId, requestId, tool } = this.flight.plan;
    this.flight.othersUnknown = true;
    this.ports.events.emit('lease.lost', { operationId, requestId, tool });
  }

  /**
   * An earlier run of this flight had the same lease: a send that it had marked, and that never left, is not counted; and of a former
   * owner's send the ledger tells no more once that mark is made.
   */
  goOnAfter(former: Run): void {
    if (former.held?.lease.fence !== this.held?.lease.fence) return;
    if (!this.marked) this.attempt = former.attempt;
    if (former.doubt === undefined || this.doubt !== undefined) return;
    this.doubt = former.doubt;
    this.doubtSentAt = former.doubtSentAt;
    this.doubtIsDead = former.doubtIsDead;
    this.mode = former.mode;
    this.flight.mayHaveRun = true;
  }

  /** A send has left. */
  track(send: Send): void {
    this.unanswered = this.unanswered.length === 0 ? [send] : [...this.unanswered, send];
    this.flight.attempts = send.attempt;
    this.flight.mayHaveRun = true;
    void send.sending.ended.then((seen) => this.inbox.put({ kind: 'ended', send, seen }));
  }

  /** A send has ended, and this is what it proves. */
  untrack(send: Send, verdict: Classification): void {
    this.unanswered = this.unanswered.length <= 1 ? NONE : this.unanswered.filter((other) => other !== send);
    if (verdict.class === 'not-sent' && send.attempt === this.attempt) {
      this.asksAgain = send.asksAgain;
      if (!send.asksAgain) this.attempt -= 1; // its number is free for a send that does leave
      this.flight.attempts = this.attempt;
    }
    if (verdict.class !== 'unknown') {
      this.flight.mayHaveRun = !this.isClean;
      return;
    }
    this.doubt = verdict.doubt ?? 'connection-lost';
    this.doubtSentAt = Math.max(this.doubtSentAt, send.heardAt);
    this.doubtIsDead = this.doubtIsDead && send.sending.isDead();
  }

  /** What was in doubt is known not to have happened. */
  clearDoubt(): void {
    this.doubt = undefined;
    this.flight.mayHaveRun = !this.isClean;
  }

  /** Nothing is known to have run, and nothing may be running. */
  get isClean(): boolean {
    return this.doubt === undefined && this.unanswered.length === 0;
  }

  endSilence(): void {
    this.silence?.end();
    this.silence = undefined;
  }

  /** A send was recorded but did not take place. */
  withdrawMark(): void {
    this.marked = false;
    this.flight.withdrawProbe();
  }

  /** A probing send proves nothing about the server. */
  withdrawProbe(send: Send): void {
    send.returnProbe?.();
    send.returnProbe = undefined;
  }

  loseLease(): void {
    const { held } = this;
    if (held === undefined || held.lost) return;
    held.lost = true;
    held.owner?.onLeaseLost();
  }

  /** Cancels what is still under way, because the caller asked for it. */
  cancelAll(reason: string): void {
    for (const send of this.unanswered) send.sending.cancel(reason);
  }

  /** The operation has ended. A send that may be repeated is cancelled; an unsafe one is left alone, and only forgotten. */
  dropAll(reason: string): void {
    for (const { sending } of this.unanswered) {
      if (this.mode === 'at-most-once' && !this.flight.plan.safe) sending.forget(reason);
      else sending.cancel(reason);
    }
  }
}
