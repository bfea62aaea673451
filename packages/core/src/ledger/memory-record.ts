/** The memory ledger's own form of a record: one mutable object of stable shape; turned into an `OperationRecord` only when handed out. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { Outcome } from '../outcome/outcome.ts';
import type { Linked, LinkedList } from '../runtime/linked-list.ts';
import type { Mutable } from '../runtime/mutable.ts';
import type { ClaimRequest } from './ledger.ts';
import type { OperationRecord, OperationState } from './record.ts';

/** An instant that has not come, or a lease that nobody has: the least small integer. */
export const NEVER: number = -(2 ** 31);

/**
 * `undefined` stands for what is absent, and every property is there from the start. Instants are ms since the ledger was made: for
 * the first 24 days they are small integers, which a record holds in itself; instants of the epoch are an object each.
 */
export class MemoryRecord implements Linked {
  readonly operationId: string;
  readonly digest: string;
  readonly scope: string;
  readonly serverName: string;
  readonly tool: string;
  readonly idempotencyKey: string | undefined;
  readonly createdAt: number;
  /** Grows from record to record: the order of listing. */
  readonly sequence: number;
  fingerprint: string | undefined;
  arguments: string | undefined;
  requestId: string;
  /** Empty once the lease was given back or the operation has ended. */
  ownerToken: string;
  state: OperationState = 'claimed';
  mode: DeliveryMode;
  attempts = 0;
  attemptLimit: number;
  fence = 1;
  leaseUntil: number = NEVER;
  deadlineAt: number;
  settleWindowMs: number;
  retentionMs: number;
  sentAt: number = NEVER;
  endedAt: number = NEVER;
  /** The present owner took over what another one left, and has not sent since. */
  tookOver = false;
  contradicted = false;
  /** No longer in the ledger. */
  forgotten = false;
  resolvedBy: string | undefined = undefined;
  /** JSON text of a usable result. */
  result: string | undefined = undefined;
  /** JSON text of any other outcome. Text, so that no caller shares an object with the ledger. */
  verdict: string | undefined = undefined;
  /** The usable result came with `exactlyOnce`. */
  isExactlyOnce = false;
  /** Key in the quarantine index. */
  quarantineKey: string | undefined = undefined;
  list: LinkedList<Linked> | undefined = undefined;
  previous: Linked | undefined = undefined;
  next: Linked | undefined = undefined;

  constructor(request: ClaimRequest, sequence: number, now: number) {
    this.operationId = request.operationId;
    this.digest = request.digest;
    this.scope = request.scope;
    this.serverName = request.serverName;
    this.tool = request.tool;
    this.idempotencyKey = request.idempotencyKey;
    this.createdAt = now;
    this.sequence = sequence;
    this.fingerprint = request.fingerprint;
    this.arguments = request.arguments;
    this.requestId = request.requestId;
    this.ownerToken = request.ownerToken;
    this.mode = request.mode;
    this.attemptLimit = request.maxAttempts;
    this.deadlineAt = now + request.deadlineInMs;
    this.settleWindowMs = request.settleWindowMs;
    this.retentionMs = request.retentionMs;
  }

  get isOpen(): boolean {
    return this.state === 'claimed' || this.state === 'sent';
  }

  /** Given back, or let go by a sweep: nothing ran, and whoever has the key starts afresh. */
  get isReleased(): boolean {
    return this.state === 'claimed' && this.leaseUntil === NEVER;
  }

  /** Whether its time is over. What may have run and cannot be known never goes by age. */
  isExpired(now: number): boolean {
    return (this.state === 'completed' || this.state === 'failed') && this.endedAt + this.retentionMs <= now;
  }

  /** A new claim by somebody else. The fence makes every later write of the former owner fail. */
  changeOwner(request: ClaimRequest, now: number): void {
    this.fence += 1;
    this.ownerToken = request.ownerToken;
    this.requestId = request.requestId;
    this.deadlineAt = now + request.deadlineInMs;
    this.retentionMs = request.retentionMs;
    this.fingerprint ??= request.fingerprint;
    this.arguments ??= request.arguments;
  }

  send(attempt: number, now: number): void {
    this.state = 'sent';
    this.attempts = attempt;
    this.sentAt = now;
    this.tookOver = false;
  }

  end(outcome: Outcome, now: number): void {
    this.state = outcome.state;
    this.result = resultOf(outcome);
    this.verdict = this.result === undefined ? JSON.stringify(outcome) : undefined;
    this.isExactlyOnce = isExactlyOnce(outcome);
    this.endedAt = now;
    this.leaseUntil = NEVER;
    this.ownerToken = '';
  }

  /** Ended just so. */
  hasOutcome(outcome: Outcome): boolean {
    if (this.state !== outcome.state) return false;
    const result = resultOf(outcome);
    if (result === undefined) return this.verdict === JSON.stringify(outcome);
    return this.result === result && this.isExactlyOnce === isExactlyOnce(outcome);
  }

  /** Ended in the same way, whatever the words: nothing ran, or it ran and callers get the same. */
  hasSameEnd(outcome: Outcome): boolean {
    return this.state === outcome.state && (this.state !== 'completed' || this.result === resultOf(outcome));
  }
}

/** What callers get to see. A copy: it does not change when the record does. `epoch` is when the ledger was made, epoch ms. */
export function toOperationRecord(record: MemoryRecord, epoch: number): OperationRecord {
  const copy: Mutable<OperationRecord> = {
    operationId: record.operationId,
    digest: record.digest,
    scope: record.scope,
    serverName: record.serverName,
    tool: record.tool,
    requestId: record.requestId,
    state: record.state,
    mode: record.mode,
    attempts: record.attempts,
    attemptLimit: record.attemptLimit,
    fence: record.fence,
    leaseUntil: record.leaseUntil === NEVER ? 0 : epoch + record.leaseUntil,
    deadlineAt: epoch + record.deadlineAt,
    settleWindowMs: record.settleWindowMs,
    createdAt: epoch + record.createdAt,
    contradicted: record.contradicted,
  };
  if (record.idempotencyKey !== undefined) copy.idempotencyKey = record.idempotencyKey;
  if (record.fingerprint !== undefined) copy.fingerprint = record.fingerprint;
  if (record.arguments !== undefined) copy.arguments = record.arguments;
  if (record.sentAt !== NEVER) copy.sentAt = epoch + record.sentAt;
  if (record.endedAt !== NEVER) copy.endedAt = epoch + record.endedAt;
  if (record.resolvedBy !== undefined) copy.resolvedBy = record.resolvedBy;
  const exactlyOnce = record.isExactlyOnce ? ({ exactlyOnce: true } as const) : undefined;
  if (record.result !== undefined) copy.outcome = { state: 'completed', result: record.result, ...exactlyOnce };
  else if (record.verdict !== undefined) copy.outcome = JSON.parse(record.verdict) as Outcome;
  return copy;
}

function isExactlyOnce(outcome: Outcome): boolean {
  return outcome.state === 'completed' && outcome.exactlyOnce === true;
}

function resultOf(outcome: Outcome): string | undefined {
  return outcome.state === 'completed' ? outcome.result : undefined;
}
