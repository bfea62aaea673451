/** Turns rows into records and back: ids and digests as bytes, outcomes as text. */
import type { OperationRecord, Outcome } from '@mcp-tx/core/ledger';
import { base32, fromBase32, McpTxError } from '@mcp-tx/core/ledger';
import type { Selectable } from 'kysely';
import type { OperationsTable } from './tables.ts';

/** An operation with its result, as every statement of ours reads it. */
export type OperationRow = Selectable<OperationsTable> & { readonly result: string | null };

const PREFIX = 'op_';
/** The outcome of an operation that has a result, where there is more to say than that. */
const EXACTLY_ONCE = '{"exactlyOnce":true}';

/** The bytes that an operation id spells; `undefined` when it is no operation id. */
export function keyOf(operationId: string): Uint8Array | undefined {
  return operationId.startsWith(PREFIX) ? fromBase32(operationId.slice(PREFIX.length)) : undefined;
}

/** What the digest adds to the key that is cut from it; the whole text when it is not what it should be. */
export function digestColumn(digest: string, key: Uint8Array): Uint8Array | string {
  if (!/^[0-9a-f]{64}$/.test(digest)) return digest;
  const bytes = Buffer.from(digest, 'hex');
  return bytes.subarray(0, key.length).equals(key) ? bytes.subarray(key.length) : digest;
}

/** Whether a row was written for this digest. */
export function hasDigest(row: Pick<OperationRow, 'digest' | 'operation_key'>, digest: string): boolean {
  const column = digestColumn(digest, row.operation_key);
  if (typeof column === 'string' || typeof row.digest === 'string') return column === row.digest;
  return Buffer.compare(column, row.digest) === 0;
}

/** Whether a row is that of `key`. Row numbers are used again after a purge, keys are not. */
export function isKey(row: Pick<OperationRow, 'operation_key'>, key: Uint8Array): boolean {
  return Buffer.compare(row.operation_key, key) === 0;
}

/** The two columns that hold an outcome. */
export function outcomeColumns(outcome: Outcome): { readonly result: string | null; readonly outcome: string | null } {
  if (outcome.state === 'completed' && outcome.result !== undefined) {
    return { result: outcome.result, outcome: outcome.exactlyOnce === true ? EXACTLY_ONCE : null };
  }
  return { result: null, outcome: JSON.stringify(outcome) };
}

/** Whether the operation ended just so. */
export function hasOutcome(row: OperationRow, outcome: Outcome): boolean {
  const columns = outcomeColumns(outcome);
  return row.state === outcome.state && row.result === columns.result && row.outcome === columns.outcome;
}

/** Whether it ended in the same way: failures are alike whatever their words. */
export function hasSameEnd(row: OperationRow, outcome: Outcome): boolean {
  return row.state === outcome.state && (row.state !== 'completed' || row.result === outcomeColumns(outcome).result);
}

/** How an operation is called; spares a reader who knows it the spelling out of its bytes. */
export interface Identity {
  readonly operationId: string;
  readonly digest: string;
}

/** @throws McpTxError `LEDGER_CORRUPT` */
export function toRecord(row: OperationRow, identity: Identity = identityOf(row)): OperationRecord {
  const record: Mutable<OperationRecord> = {
    operationId: identity.operationId,
    digest: identity.digest,
    scope: row.scope,
    serverName: row.server_name,
    tool: row.tool,
    requestId: row.request_id,
    state: row.state,
    mode: row.mode,
    attempts: row.attempts,
    attemptLimit: row.attempt_limit,
    fence: row.fence,
    leaseUntil: row.lease_until,
    deadlineAt: row.deadline_at,
    settleWindowMs: row.settle_window_ms,
    createdAt: row.created_at,
    contradicted: row.contradicted === 1,
  };
  if (row.idempotency_key !== null) record.idempotencyKey = row.idempotency_key;
  if (row.fingerprint !== null) record.fingerprint = row.fingerprint;
  if (row.arguments !== null) record.arguments = row.arguments;
  if (row.send_until !== null) record.sendUntil = row.send_until;
  if (row.sent_at !== null) record.sentAt = row.sent_at;
  if (row.ended_at !== null) record.endedAt = row.ended_at;
  if (row.resolved_by !== null) record.resolvedBy = row.resolved_by;
  const outcome = outcomeOf(row, record.operationId);
  if (outcome !== undefined) record.outcome = outcome;
  return record;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function identityOf(row: OperationRow): Identity {
  const digest = typeof row.digest === 'string' ? row.digest : hex(row.operation_key) + hex(row.digest);
  return { operationId: PREFIX + base32(row.operation_key), digest };
}

function outcomeOf(row: OperationRow, operationId: string): Outcome | undefined {
  const { result } = row;
  if (result !== null)
    return { state: 'completed', result, ...(row.outcome === EXACTLY_ONCE ? { exactlyOnce: true } : {}) };
  if (row.outcome === null && (row.state === 'claimed' || row.state === 'sent')) return undefined;
  try {
    return JSON.parse(row.outcome ?? '') as Outcome;
  } catch (cause) {
    const what = `The record of ${operationId} cannot be read: it is ${row.state} but holds no outcome`;
    throw new McpTxError('LEDGER_CORRUPT', `${what}. Restore the ledger from a backup.`, { operationId, cause });
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
