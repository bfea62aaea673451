/** Decides who may drive an operation. Runs inside a write transaction; what changes nothing is answered before one is begun. */
import type { Claim, ClaimRequest, Lease, OperationState } from '@mcp-tx/core/ledger';
import { base32, McpTxError } from '@mcp-tx/core/ledger';
import { forget } from './purge.ts';
import type { OperationRow } from './rows.ts';
import { digestColumn, hasDigest, keyOf, toRecord } from './rows.ts';
import type { Steps } from './steps.ts';
import { rowsBy, step } from './steps.ts';

/** What a claim of a row that is there has to do. */
export interface Plan {
  readonly step: 'replace' | 'again' | 'afresh' | 'take-over';
}

/** @throws McpTxError `CALL_INVALID` when the id is not one that an operation can have. */
export function keyOfClaim(request: Pick<ClaimRequest, 'operationId'>): Uint8Array {
  const key = keyOf(request.operationId);
  if (key !== undefined) return key;
  throw new McpTxError(
    'CALL_INVALID',
    `${JSON.stringify(request.operationId)} is no operation id: op_ and 26 characters of base32`,
  );
}

/** The answer, where no write is needed for it; else whether the operation is there. */
export function answerByReading(
  row: OperationRow | undefined,
  request: ClaimRequest,
  now: number,
): Claim | 'is there' | 'is not there' {
  if (row === undefined) return 'is not there';
  const plan = planOf(row, request, now);
  return 'kind' in plan ? plan : 'is there';
}

/** The answer, after the write that it needs. */
export function* claimInTransaction(request: ClaimRequest, key: Uint8Array, now: number): Steps<Claim> {
  const [row] = yield* rowsBy('byKey', key);
  if (row === undefined) return yield* claimNew(request, key, now);
  const plan = planOf(row, request, now);
  if ('kind' in plan) return plan;
  switch (plan.step) {
    case 'replace':
      yield* forget([row]);
      return yield* claimNew(request, key, now);
    case 'again':
      return yield* claimAgain(row, request, now);
    case 'afresh':
      return yield* claimAfresh(row, request, now);
    case 'take-over':
      return yield* takeOver(row, request, now);
  }
}

/** The same for an operation that was not there a moment ago: most likely it still is not, and need not be looked for. */
export function* claimUnseen(request: ClaimRequest, key: Uint8Array, now: number): Steps<Claim> {
  return (yield* insertNew(request, key, now)) ?? (yield* claimInTransaction(request, key, now));
}

/** What tells how the record of an operation stands to a request. */
export type Asked = Pick<ClaimRequest, 'operationId' | 'digest' | 'tool' | 'fingerprint'> & {
  readonly ownerToken?: string;
};

/** The order of the questions is the contract's. */
export function planOf(row: OperationRow, request: Asked, now: number): Claim | Plan {
  if (!hasDigest(row, request.digest)) return { kind: 'conflict' };
  if (isOver(row, now)) return isForgotten(row, now) ? { step: 'replace' } : { kind: 'expired' };
  if (isOtherCall(row, request)) return { kind: 'conflict' };
  if (row.state === 'in_doubt') return { kind: 'in_doubt', record: toRecord(row, request) };
  if (row.state === 'completed' || row.state === 'failed') return { kind: 'replay', record: toRecord(row, request) };
  if (row.owner_token === request.ownerToken) return { step: 'again' };
  if (row.lease_until > now && row.owner_token !== null) {
    return { kind: 'busy', leaseLeftMs: row.lease_until - now, record: toRecord(row, request) };
  }
  const isNobodys = row.lease_until === 0 || row.owner_token === null;
  return { step: row.state === 'claimed' && isNobodys ? 'afresh' : 'take-over' };
}

function* claimNew(request: ClaimRequest, key: Uint8Array, now: number): Steps<Claim> {
  const claim = yield* insertNew(request, key, now);
  if (claim !== undefined) return claim;
  throw new McpTxError('INTERNAL', `${request.operationId} appeared within a transaction of its own`);
}

/** `undefined`: the operation is there after all. */
function* insertNew(request: ClaimRequest, key: Uint8Array, now: number): Steps<Claim | undefined> {
  const earlier = yield* repeatedBy(request, key, now);
  if (earlier !== undefined) return { kind: 'repeat', operationId: earlier };
  const isSent = request.state === 'sent';
  const attempts = isSent ? 1 : 0;
  const { changes, id } = yield* step(
    'insert',
    ...[key, digestColumn(request.digest, key), request.scope, request.serverName],
    ...[request.tool, request.idempotencyKey ?? null, request.fingerprint ?? null],
    ...[request.requestId, request.ownerToken, request.state, request.mode, attempts, request.maxAttempts, 1],
    ...[now + request.leaseMs, now + request.deadlineInMs, request.settleWindowMs, request.retentionMs],
    ...[request.arguments ?? null, request.quarantine?.session ?? null, now, isSent ? now : null, null],
  );
  if (changes === 0) return undefined;
  return grant(request, id ?? -1, 1, attempts, request.maxAttempts);
}

/** The same owner asks again because its first answer was lost: it gets the same one. */
function* claimAgain(row: OperationRow, request: ClaimRequest, now: number): Steps<Claim> {
  const mayFirstSend = row.took_over === 0 && row.state === 'claimed' && row.attempts < row.attempt_limit;
  const isSent = mayFirstSend && request.state === 'sent';
  const next = { ...row, ...(isSent ? sent(row, now) : {}), lease_until: now + request.leaseMs };
  yield* write(next);
  const takenOver = row.took_over === 1 ? row : undefined;
  return grant(request, row.id, row.fence, next.attempts, next.attempt_limit, takenOver);
}

/** It was given back, or a sweep let go of it: nothing ran, and everything counts from here. */
function* claimAfresh(row: OperationRow, request: ClaimRequest, now: number): Steps<Claim> {
  const next = {
    ...owned(row, request, now),
    mode: request.mode,
    settle_window_ms: request.settleWindowMs,
    attempt_limit: row.attempts + request.maxAttempts,
    took_over: 0,
    ...(request.state === 'sent' ? sent(row, now) : {}),
  };
  yield* write(next);
  return grant(request, row.id, next.fence, next.attempts, next.attempt_limit);
}

/** The former owner is gone. What it may have sent stands: its state, its attempts and their limit, the stricter mode. */
function* takeOver(row: OperationRow, request: ClaimRequest, now: number): Steps<Claim> {
  const isMode = row.state === 'claimed' || request.mode === 'at-most-once';
  const next = {
    ...owned(row, request, now),
    mode: isMode ? request.mode : row.mode,
    settle_window_ms: Math.max(row.settle_window_ms, request.settleWindowMs),
    took_over: 1,
  };
  yield* write(next);
  return grant(request, row.id, next.fence, next.attempts, next.attempt_limit, row);
}

function owned(row: OperationRow, request: ClaimRequest, now: number): OperationRow {
  return {
    ...row,
    request_id: request.requestId,
    owner_token: request.ownerToken,
    fence: row.fence + 1,
    lease_until: now + request.leaseMs,
    deadline_at: now + request.deadlineInMs,
    retention_ms: request.retentionMs,
    arguments: row.arguments ?? request.arguments ?? null,
    fingerprint: row.fingerprint ?? request.fingerprint ?? null,
  };
}

function sent(row: OperationRow, now: number): { state: OperationState; attempts: number; sent_at: number } {
  return { state: 'sent', attempts: row.attempts + 1, sent_at: now };
}

function* write(row: OperationRow): Steps<void> {
  yield* step(
    'take',
    ...[row.request_id, row.owner_token, row.state, row.mode, row.attempts, row.attempt_limit, row.fence],
    ...[row.took_over, row.lease_until, row.deadline_at, row.settle_window_ms, row.retention_ms],
    ...[row.arguments, row.fingerprint, row.sent_at, row.id],
  );
}

/** What the new owner is told. `takenOver`: the row as the former one left it. */
export function grant(
  request: ClaimRequest,
  id: number,
  fence: number,
  attempts: number,
  attemptLimit: number,
  takenOver?: OperationRow,
): Claim {
  const { operationId, ownerToken, leaseMs } = request;
  const lease: Lease = { operationId, fence, ownerToken, leaseMs, handle: id };
  const claim = { kind: 'claimed', lease, attempts, attemptLimit } as const;
  return takenOver === undefined ? claim : { ...claim, takenOver: toRecord(takenOver, request) };
}

function* repeatedBy(request: ClaimRequest, key: Uint8Array, now: number): Steps<string | undefined> {
  const { quarantine, fingerprint, idempotencyKey, scope, serverName } = request;
  if (quarantine === undefined || fingerprint === undefined || idempotencyKey !== undefined) return undefined;
  const since = now - quarantine.windowMs;
  const rows = yield* rowsBy('repeated', ...[fingerprint, quarantine.session, scope, serverName], ...[key, since, now]);
  const earlier = rows.map((row) => `op_${base32(row.operation_key)}`);
  return quarantine.repeatOf !== undefined && earlier.includes(quarantine.repeatOf) ? undefined : earlier[0];
}

/** Its time is over, whether a purge has come by or not. What may have run and cannot be known never goes by age. */
function isOver(row: OperationRow, now: number): boolean {
  if (row.tombstone === 1) return true;
  return (row.state === 'completed' || row.state === 'failed') && row.expires_at !== null && row.expires_at <= now;
}

/** Even its tombstone's time is over, or it had no key that could be used again. */
function isForgotten(row: OperationRow, now: number): boolean {
  if (row.tombstone === 1) return row.expires_at !== null && row.expires_at <= now;
  return row.idempotency_key === null || (row.expires_at ?? now) + 10 * row.retention_ms <= now;
}

/** Fingerprints are compared only where both sides have one: they can be off for a tool. */
function isOtherCall(row: OperationRow, request: Asked): boolean {
  if (row.tool !== request.tool) return true;
  return row.fingerprint !== null && request.fingerprint !== undefined && row.fingerprint !== request.fingerprint;
}
