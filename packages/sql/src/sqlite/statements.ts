/** Every statement of the hot path, written out and prepared once: a query builder would cost more than SQLite itself. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { OperationRow } from './rows.ts';
import { fromColumn } from './text-column.ts';

const COLUMNS: readonly (keyof OperationRow)[] = [
  ...(['id', 'operation_key', 'digest', 'scope', 'server_name', 'tool', 'idempotency_key', 'fingerprint'] as const),
  ...(['request_id', 'owner_token', 'state', 'mode', 'attempts', 'attempt_limit', 'fence', 'took_over'] as const),
  ...(['lease_until', 'deadline_at', 'settle_window_ms', 'retention_ms', 'arguments', 'quarantine_session'] as const),
  ...(['created_at', 'sent_at', 'ended_at', 'expires_at', 'outcome', 'resolved_by', 'contradicted'] as const),
  ...(['tombstone', 'result'] as const),
];
/** Columns that hold bytes of their own accord. */
const BINARY: readonly (keyof OperationRow)[] = ['operation_key', 'digest'];
const ROW = `select ${COLUMNS.join(', ')} from mcp_tx_operations left join mcp_tx_results on operation = id`;
const OPEN = "state in ('claimed', 'sent')";
/** Has arguments, and may be sent: somebody can run it. */
const RUNNABLE = "(arguments is not null and (state = 'claimed' or mode <> 'at-most-once'))";
/** Compare-and-set: the row is still the one that the lease was given for, and nobody has come since. */
const HELD = `id = ? and fence = ? and owner_token = ? and ${OPEN}`;

const INSERT_COLUMNS = [
  ...['operation_key', 'digest', 'scope', 'server_name', 'tool', 'idempotency_key', 'fingerprint', 'request_id'],
  ...['owner_token', 'state', 'mode', 'attempts', 'attempt_limit', 'fence', 'lease_until', 'deadline_at'],
  ...['settle_window_ms', 'retention_ms', 'arguments', 'quarantine_session', 'created_at', 'sent_at'],
];

/** Their texts. */
export const SQL: Readonly<Record<StatementName, string>> = {
  byKey: `${ROW} where operation_key = ?`,
  byId: `${ROW} where id = ?`,
  insert: `insert into mcp_tx_operations (${INSERT_COLUMNS.join(', ')})
    values (${INSERT_COLUMNS.map(() => '?').join(', ')}) on conflict (operation_key) do nothing`,
  take: `update mcp_tx_operations set request_id = ?, owner_token = ?, state = ?, mode = ?, attempts = ?, attempt_limit = ?,
    fence = ?, took_over = ?, lease_until = ?, deadline_at = ?, settle_window_ms = ?, retention_ms = ?, arguments = ?,
    fingerprint = ?, sent_at = ?, ended_at = null, expires_at = null where id = ?`,
  repeated: `select operation_key from mcp_tx_operations where fingerprint = ? and quarantine_session = ?
    and scope = ? and server_name = ? and operation_key <> ? and sent_at > ? and state in ('sent', 'in_doubt')
    and (state = 'in_doubt' or deadline_at <= ?) order by id`,
  markSent: `update mcp_tx_operations set sent_at = iif(attempts = ?, sent_at, ?), state = 'sent', attempts = ?,
    took_over = 0, lease_until = ?, ended_at = null, expires_at = null
    where ${HELD} and ((? > attempts and ? <= attempt_limit) or (? = attempts and state = 'sent' and took_over = 0))`,
  renew: `update mcp_tx_operations set lease_until = ?, ended_at = null, expires_at = null where ${HELD}`,
  hold: `update mcp_tx_operations set state = 'claimed', attempts = ?, took_over = 0, lease_until = ?,
    ended_at = null, expires_at = null where ${HELD}`,
  letGo: `update mcp_tx_operations set state = 'claimed', attempts = ?, took_over = 0, lease_until = 0, owner_token = null,
    ended_at = ?, expires_at = ? + retention_ms where ${HELD}`,
  settle: `update mcp_tx_operations set state = ?, outcome = ?, ended_at = ?, expires_at = ? + retention_ms,
    owner_token = null, lease_until = 0 where ${HELD} and (state = 'sent' or ?)`,
  end: `update mcp_tx_operations set state = ?, outcome = ?, ended_at = ?, expires_at = ? + retention_ms,
    owner_token = null, lease_until = 0, resolved_by = ? where id = ?`,
  addResult: 'insert into mcp_tx_results (operation, result) values (?, ?)',
  contradict: 'update mcp_tx_operations set contradicted = 1 where id = ?',
  addAudit: 'insert into mcp_tx_audit (operation_key, at, "by", action, state, reason) values (?, ?, ?, ?, ?, ?)',
  runOut: `${ROW} where lease_until > 0 and lease_until <= ?1 and (server_name = ?2 or ?2 is null or not ${RUNNABLE})
    order by ${RUNNABLE}, lease_until limit ?3`,
  free: `update mcp_tx_operations set lease_until = 0, ended_at = ?, expires_at = ? + retention_ms where id = ?`,
  expired: `select id, operation_key, state, idempotency_key, tombstone from mcp_tx_operations
    where expires_at <= ? order by expires_at limit ?`,
  bury: `update mcp_tx_operations set tombstone = 1, expires_at = expires_at + 10 * retention_ms, scope = '', server_name = '',
    tool = '', idempotency_key = null, request_id = '', arguments = null, outcome = null, quarantine_session = null where id = ?`,
  removeResult: 'delete from mcp_tx_results where operation = ?',
  remove: 'delete from mcp_tx_operations where id = ?',
  removeAudit: 'delete from mcp_tx_audit where operation_key = ?',
};

/** The statements by name. */
export type Statements = Readonly<Record<StatementName, StatementSync>>;

/** What each is for, by group. */
export type StatementName =
  | ('byKey' | 'byId' | 'insert' | 'take' | 'repeated') // claim
  | ('markSent' | 'renew' | 'hold' | 'letGo') // while the lease lasts
  | ('settle' | 'end' | 'addResult' | 'contradict' | 'addAudit')
  | ('runOut' | 'free' | 'expired' | 'bury' | 'removeResult' | 'remove' | 'removeAudit'); // sweep and purge

export function prepareStatements(database: DatabaseSync): Statements {
  const entries = Object.entries(SQL).map(([name, text]) => [name, database.prepare(text)] as const);
  const statements = Object.fromEntries(entries) as Statements;
  if ('setReturnArrays' in statements.byKey) statements.byKey.setReturnArrays(true);
  return statements;
}

/** The same for a handle that will need few of them. */
export function prepareWhenUsed(database: DatabaseSync): Statements {
  const statements: Partial<Record<StatementName, StatementSync>> = {};
  for (const [name, text] of Object.entries(SQL) as [StatementName, string][]) {
    let prepared: StatementSync | undefined;
    Object.defineProperty(statements, name, {
      get: () => {
        prepared ??= database.prepare(text);
        return prepared;
      },
    });
  }
  return statements as Statements;
}

/** The operation with this key, tombstone or not. */
export function rowByKey(sql: Statements, key: Uint8Array): OperationRow | undefined {
  const found = sql.byKey.get(key) as unknown;
  return found === undefined ? undefined : toRow(found);
}

/** A row of {@link ROW}, which is an array where Node can give one: that takes half the time of an object. */
export function toRow(found: unknown): OperationRow {
  const isArray = Array.isArray(found);
  const row: Partial<Record<keyof OperationRow, unknown>> = {};
  for (let i = 0; i < COLUMNS.length; i += 1) {
    const column = COLUMNS[i] as keyof OperationRow;
    const value: unknown = isArray ? found[i] : (found as OperationRow)[column];
    row[column] = value instanceof Uint8Array && !BINARY.includes(column) ? fromColumn(value) : value;
  }
  return row as OperationRow;
}
