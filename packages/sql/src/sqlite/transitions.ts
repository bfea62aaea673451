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
import { forget } from './claim.ts';
import type { OperationRow } from './rows.ts';
import { hasOutcome, hasSameEnd, isKey, keyOf, outcomeColumns, toRecord } from './rows.ts';
import type { Statements } from './statements.ts';
import { rowByKey, toRow } from './statements.ts';
import { toColumn } from './text-column.ts';

export function markSent(sql: Statements, lease: Lease, attempt: number, now: number): boolean {
  const { changes } = sql.markSent.run(
    ...[attempt, now, attempt, now + lease.leaseMs, ...heldBy(sql, lease)],
    ...[attempt, attempt, attempt],
  );
  return changes === 1;
}

/** What ends in this very transaction is sent in it, too, where it was not before. `false`: the lease or the attempts are gone. */
export function begin(sql: Statements, lease: Lease, now: number): boolean {
  const row = rowOf(sql, lease);
  if (row?.state === 'claimed') return markSent(sql, lease, row.attempts + 1, now);
  return renew(sql, lease, now);
}

export function renew(sql: Statements, lease: Lease, now: number): boolean {
  return sql.renew.run(now + lease.leaseMs, ...heldBy(sql, lease)).changes === 1;
}

export function release(sql: Statements, lease: Lease, released: Released, now: number): boolean {
  const held = heldBy(sql, lease);
  const { changes } = released.hold
    ? sql.hold.run(released.attempts, now + lease.leaseMs, ...held)
    : sql.letGo.run(released.attempts, now, now, ...held);
  return changes === 1 || isGivenBack(rowOf(sql, lease), lease);
}

export function settle(sql: Statements, lease: Lease, outcome: Outcome, now: number): boolean {
  const columns = outcomeColumns(outcome);
  const held = heldBy(sql, lease);
  const mayFromClaimed = outcome.state === 'failed' ? 1 : 0; // the one end that needs no send
  const { changes } = sql.settle.run(...endOf(outcome, now), ...held, mayFromClaimed);
  if (changes === 1) {
    if (columns.result !== null) sql.addResult.run(held[0], toColumn(columns.result));
    return true;
  }
  const row = rowOf(sql, lease);
  return row !== undefined && row.fence === lease.fence && hasOutcome(row, outcome);
}

export function resolve(sql: Statements, operationId: string, resolution: Resolution, now: number): ResolveResult {
  const key = keyOf(operationId);
  const row = key === undefined ? undefined : rowByKey(sql, key);
  if (row === undefined || row.tombstone === 1) return { kind: 'not_found' };
  const isLateAnswer = resolution.by === 'late-answer';
  if (row.state === 'in_doubt' || (row.state === 'sent' && isLateAnswer)) {
    end(sql, row, resolution.outcome, now, resolution.by);
    audit(sql, row, resolution, 'resolved', now);
    return { kind: 'resolved', record: recordOf(sql, row) };
  }
  if (row.state === 'claimed' || row.state === 'sent') return { kind: 'not_in_doubt', record: toRecord(row) };
  if (hasSameEnd(row, resolution.outcome)) return { kind: 'already', record: toRecord(row) };
  if (!isLateAnswer) return { kind: 'not_in_doubt', record: toRecord(row) };
  if (row.contradicted === 0) {
    sql.contradict.run(row.id);
    audit(sql, row, resolution, 'contradicted', now);
  }
  return { kind: 'contradicted', record: recordOf(sql, row) };
}

/** What `sweep` would find; enough to know that there is nothing to do. */
export function runOut(sql: Statements, limit: number, serverName: string | undefined, now: number): OperationRow[] {
  return sql.runOut.all(now, toColumn(serverName ?? null), limit).map(toRow);
}

export function isRunnable(row: OperationRow): boolean {
  return row.arguments !== null && (row.state === 'claimed' || row.mode !== 'at-most-once');
}

export function sweep(sql: Statements, limit: number, serverName: string | undefined, now: number): readonly Swept[] {
  return runOut(sql, limit, serverName, now).map((row) => {
    if (isRunnable(row)) return { action: 'runnable', record: toRecord(row) };
    const isDoubt = row.state === 'sent' && row.mode === 'at-most-once';
    if (isDoubt) end(sql, row, { state: 'in_doubt', reason: 'owner-lost' }, now, null);
    else free(sql, row, now);
    return { action: isDoubt ? 'in_doubt' : 'released', record: recordOf(sql, row) };
  });
}

/** Removes up to `limit` entries that were over at `before`; returns how many. */
export function purge(sql: Statements, before: number, limit: number): number {
  const rows = sql.expired.all(before, limit) as unknown as OperationRow[];
  for (const row of rows) {
    const leavesTombstone = row.tombstone === 0 && row.idempotency_key !== null && row.state !== 'claimed';
    if (leavesTombstone) {
      sql.bury.run(row.id);
      sql.removeResult.run(row.id);
    } else {
      forget(sql, row);
    }
  }
  return rows.length;
}

function end(sql: Statements, row: OperationRow, outcome: Outcome, now: number, by: string | null): void {
  const { result } = outcomeColumns(outcome);
  sql.end.run(...endOf(outcome, now), toColumn(by), row.id);
  if (result !== null) sql.addResult.run(row.id, toColumn(result));
}

/** State, outcome, instant of the end, and the instant that retention counts from: doubt never goes by age. */
function endOf(outcome: Outcome, now: number): [string, string | null, number, number | null] {
  return [outcome.state, outcomeColumns(outcome).outcome, now, outcome.state === 'in_doubt' ? null : now];
}

/** What was sent and may be sent again has not ended; what was only claimed has. */
function free(sql: Statements, row: OperationRow, now: number): void {
  const endedAt = row.state === 'claimed' ? now : null;
  sql.free.run(endedAt, endedAt, row.id);
}

function audit(sql: Statements, row: OperationRow, told: Resolution, action: AuditLine['action'], now: number): void {
  const [by, reason] = [toColumn(told.by), toColumn(told.reason)];
  sql.addAudit.run(row.operation_key, now, by, action, told.outcome.state, reason);
}

function recordOf(sql: Statements, row: OperationRow): OperationRecord {
  return toRecord(rowById(sql, row.id) ?? row);
}

function rowById(sql: Statements, id: number): OperationRow | undefined {
  const found = sql.byId.get(id);
  return found === undefined ? undefined : toRow(found);
}

/** What makes a write the lease holder's: its row, its fence, its token. */
function heldBy(sql: Statements, lease: Lease): [number, number, string] {
  return [idOf(sql, lease), lease.fence, lease.ownerToken];
}

/** The lease's row number. A lease that came without one, from another process, is found by its operation. */
function idOf(sql: Statements, lease: Lease): number {
  if (typeof lease.handle === 'number') return lease.handle;
  return rowOf(sql, lease)?.id ?? -1;
}

/** The row that the lease was given for, unless it has been purged. */
function rowOf(sql: Statements, lease: Lease): OperationRow | undefined {
  const key = keyOf(lease.operationId);
  if (key === undefined) return undefined;
  if (typeof lease.handle !== 'number') return rowByKey(sql, key);
  const row = rowById(sql, lease.handle);
  return row !== undefined && isKey(row, key) ? row : undefined;
}

/** Whether the lease's owner has given it back already, and nobody took it since. */
function isGivenBack(row: OperationRow | undefined, lease: Lease): boolean {
  return row?.fence === lease.fence && row.state === 'claimed' && row.lease_until === 0;
}
