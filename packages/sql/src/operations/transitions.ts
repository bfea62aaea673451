/** What happens to an operation after its claim. Every function runs inside a write transaction. */
import type {
  AuditLine,
  Lease,
  OperationRecord,
  Outcome,
  Released,
  Resolution,
  ResolveResult,
  Swept,
} from '@mcp-tx/core/ledger';
import type { OperationRow } from './rows.ts';
import { hasOutcome, hasSameEnd, isKey, keyOf, outcomeColumns, toRecord } from './rows.ts';
import type { StepAnswer, Steps } from './steps.ts';
import { rowsBy, step } from './steps.ts';

export function* markSent(lease: Lease, attempt: number, now: number): Steps<boolean> {
  const { changes } = yield* step(
    'markSent',
    ...[attempt, now, attempt, now + lease.leaseMs, ...(yield* heldBy(lease))],
    ...[attempt, attempt, attempt],
  );
  return changes === 1;
}

/** What ends in this very transaction is sent in it, too, where it was not before. `false`: the lease or the attempts are gone. */
export function* begin(lease: Lease, now: number): Steps<boolean> {
  const row = yield* rowOf(lease);
  if (row?.state === 'claimed') return yield* markSent(lease, row.attempts + 1, now);
  return yield* renew(lease, now);
}

function* renew(lease: Lease, now: number): Steps<boolean> {
  return (yield* step('renew', now + lease.leaseMs, ...(yield* heldBy(lease)))).changes === 1;
}

export function* renewEach(leases: readonly Lease[], now: number): Steps<readonly boolean[]> {
  const renewed: boolean[] = [];
  for (const lease of leases) renewed.push(yield* renew(lease, now));
  return renewed;
}

export function* release(lease: Lease, released: Released, now: number): Steps<boolean> {
  const held = yield* heldBy(lease);
  const { changes } = released.hold
    ? yield* step('hold', released.attempts, now + lease.leaseMs, ...held)
    : yield* giveBack(lease, released, held, now);
  return changes === 1 || isGivenBack(yield* rowOf(lease), lease);
}

/** For good, unless it is an intent whose time is not over: then it only rests. */
function* giveBack(lease: Lease, { attempts }: Released, held: Held, now: number): Steps<StepAnswer> {
  const ended = yield* step('letGo', attempts, now, now, ...held, now);
  return ended.changes === 1 ? ended : yield* step('putBack', attempts, now + lease.leaseMs, ...held, now);
}

export function* settle(lease: Lease, outcome: Outcome, now: number): Steps<boolean> {
  const columns = outcomeColumns(outcome);
  const held = yield* heldBy(lease);
  const mayFromClaimed = outcome.state === 'failed' ? 1 : 0; // the one end that needs no send
  const { changes } = yield* step('settle', ...endOf(outcome, now), ...held, mayFromClaimed);
  if (changes === 1) {
    if (columns.result !== null) yield* step('addResult', columns.result, held[0]);
    return true;
  }
  const row = yield* rowOf(lease);
  return row !== undefined && row.fence === lease.fence && hasOutcome(row, outcome);
}

export function* resolve(operationId: string, resolution: Resolution, now: number): Steps<ResolveResult> {
  const key = keyOf(operationId);
  const row = key === undefined ? undefined : (yield* rowsBy('byKey', key))[0];
  if (row === undefined || row.tombstone === 1) return { kind: 'not_found' };
  const isLateAnswer = resolution.by === 'late-answer';
  if (row.state === 'in_doubt' || (row.state === 'sent' && isLateAnswer)) {
    yield* end(row, resolution.outcome, now, resolution.by);
    yield* audit(row, resolution, 'resolved', now);
    return { kind: 'resolved', record: yield* recordOf(row) };
  }
  if (row.state === 'claimed' || row.state === 'sent') return { kind: 'not_in_doubt', record: toRecord(row) };
  if (hasSameEnd(row, resolution.outcome)) return { kind: 'already', record: toRecord(row) };
  if (!isLateAnswer) return { kind: 'not_in_doubt', record: toRecord(row) };
  if (row.contradicted === 0) {
    yield* step('contradict', row.id);
    yield* audit(row, resolution, 'contradicted', now);
  }
  return { kind: 'contradicted', record: yield* recordOf(row) };
}

/** Up to `limit` operations whose lease has run out; of those that can be run only the server's, where one is named. */
export function* runOut(limit: number, serverName: string | undefined, now: number): Steps<readonly OperationRow[]> {
  if (serverName === undefined) return yield* rowsBy('runOut', now, limit);
  return yield* rowsBy('runOutOf', now, serverName, limit);
}

export function isRunnable(row: OperationRow): boolean {
  return row.arguments !== null && (row.state === 'claimed' || row.mode !== 'at-most-once');
}

export function* sweep(limit: number, serverName: string | undefined, now: number): Steps<readonly Swept[]> {
  const swept: Swept[] = [];
  for (const row of yield* runOut(limit, serverName, now)) swept.push(yield* sweepOne(row, now));
  return swept;
}

function* sweepOne(row: OperationRow, now: number): Steps<Swept> {
  if (isRunnable(row)) return { action: 'runnable', record: toRecord(row) };
  const isDoubt = row.state === 'sent' && row.mode === 'at-most-once';
  if (isDoubt) yield* end(row, { state: 'in_doubt', reason: 'owner-lost' }, now, null);
  else yield* free(row, now);
  return { action: isDoubt ? 'in_doubt' : 'released', record: yield* recordOf(row) };
}

function* end(row: OperationRow, outcome: Outcome, now: number, by: string | null): Steps<void> {
  const { result } = outcomeColumns(outcome);
  yield* step('end', ...endOf(outcome, now), by, row.id);
  if (result !== null) yield* step('addResult', result, row.id);
}

/** State, outcome, instant of the end, and the instant that retention counts from: doubt never goes by age. */
function endOf(outcome: Outcome, now: number): [string, string | null, number, number | null] {
  return [outcome.state, outcomeColumns(outcome).outcome, now, outcome.state === 'in_doubt' ? null : now];
}

/** What was sent and may be sent again has not ended; what was only claimed has. */
function* free(row: OperationRow, now: number): Steps<void> {
  const endedAt = row.state === 'claimed' ? now : null;
  yield* step('free', endedAt, endedAt, row.id);
}

function* audit(row: OperationRow, told: Resolution, action: AuditLine['action'], now: number): Steps<void> {
  const { by, reason } = told;
  yield* step('addAudit', row.operation_key, now, by, action, told.outcome.state, reason);
}

function* recordOf(row: OperationRow): Steps<OperationRecord> {
  return toRecord((yield* rowById(row.id)) ?? row);
}

function* rowById(id: number): Steps<OperationRow | undefined> {
  return (yield* rowsBy('byId', id))[0];
}

type Held = [number, number, string];

/** What makes a write the lease holder's: its row, its fence, its token. */
function* heldBy(lease: Lease): Steps<Held> {
  return [yield* idOf(lease), lease.fence, lease.ownerToken];
}

/** The lease's row number. A lease that came without one, from another process, is found by its operation. */
function* idOf(lease: Lease): Steps<number> {
  if (typeof lease.handle === 'number') return lease.handle;
  return (yield* rowOf(lease))?.id ?? -1;
}

/** The row that the lease was given for, unless it has been purged. */
function* rowOf(lease: Lease): Steps<OperationRow | undefined> {
  const key = keyOf(lease.operationId);
  if (key === undefined) return undefined;
  if (typeof lease.handle !== 'number') return (yield* rowsBy('byKey', key))[0];
  const row = yield* rowById(lease.handle);
  return row !== undefined && isKey(row, key) ? row : undefined;
}

/** Whether the lease's owner has given it back already, and nobody took it since. */
function isGivenBack(row: OperationRow | undefined, lease: Lease): boolean {
  return row?.fence === lease.fence && row.state === 'claimed' && (row.lease_until === 0 || row.owner_token === null);
}
