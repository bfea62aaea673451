/** Every statement of the hot path, written out and prepared once: a query builder would cost more than SQLite itself. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { OperationRow } from './rows.ts';

const COLUMNS: readonly (keyof OperationRow)[] = [
  ...(['id', 'operation_key', 'digest', 'scope', 'server_name', 'tool', 'idempotency_key', 'fingerprint'] as const),
  ...(['request_id', 'owner_token', 'state', 'mode', 'attempts', 'attempt_limit', 'fence', 'took_over'] as const),
  ...(['lease_until', 'deadline_at', 'settle_window_ms', 'retention_ms', 'arguments', 'quarantine_session'] as const),
  ...(['created_at', 'sent_at', 'ended_at', 'expires_at', 'outcome', 'resolved_by', 'contradicted'] as const),
  ...(['tombstone', 'result'] as const),
];
const ROW = `select ${COLUMNS.join(', ')} from mcp_tx_operations left join mcp_tx_results on operation = id`;
const OPEN = "state in ('claimed', 'sent')";
/** Compare-and-set: the row is still the one that the lease was given for, and nobody has come since. */
const HELD = `id = ? and fence = ? and owner_token = ? and ${OPEN}`;

const INSERT_COLUMNS = [
  ...['operation_key', 'digest', 'scope', 'server_name', 'tool', 'idempotency_key', 'fingerprint', 'request_id'],
  ...['owner_token', 'state', 'mode', 'attempts', 'attempt_limit', 'fence', 'lease_until', 'deadline_at'],
  ...['settle_window_ms', 'retention_ms', 'arguments', 'quarantine_session', 'created_at', 'sent_at'],
];

const SQL: Readonly<Record<StatementName, string>> = {
  byKey: `${ROW} where operation_key = ?`,
  byId: `${ROW} where id = ?`,
  insert: `insert into mcp_tx_operations (${INSERT_COLUMNS.join(', ')})
    values (${INSERT_COLUMNS.map(() => '?').join(', ')}) on conflict (operation_key) do nothing`,
  take: `update mcp_tx_operations set request_id = ?, owner_token = ?, state = ?, mode = ?, attempts = ?, attempt_limit = ?,
    fence = ?, took_over = ?, lease_until = ?, deadline_at = ?, settle_window_ms = ?, retention_ms = ?, arguments = ?,
    fingerprint = ?, sent_at = ?, ended_at = null, expires_at = null where id = ?`,
  repeated: `select operation_key from mcp_tx_operations where fingerprint = ? and quarantine_session = ?
    and scope = ? and server_name = ? and operation_key <> ? and created_at > ? and state in ('sent', 'in_doubt')
    and (state = 'in_doubt' or deadline_at <= ?) order by id limit 1`,
  markSent: `update mcp_tx_operations set sent_at = case when attempts = ?1 then sent_at else ?2 end, state = 'sent',
    attempts = ?1, took_over = 0, lease_until = ?3, ended_at = null, expires_at = null
    where id = ?4 and fence = ?5 and owner_token = ?6 and ${OPEN}
    and ((?1 > attempts and ?1 <= attempt_limit) or (?1 = attempts and state = 'sent' and took_over = 0))`,
  renew: `update mcp_tx_operations set lease_until = ?, ended_at = null, expires_at = null where ${HELD}`,
  hold: `update mcp_tx_operations set state = 'claimed', attempts = ?, took_over = 0, lease_until = ?,
    ended_at = null, expires_at = null where ${HELD}`,
  letGo: `update mcp_tx_operations set state = 'claimed', attempts = ?, took_over = 0, lease_until = 0, owner_token = null,
    ended_at = ?2, expires_at = ?2 + retention_ms where id = ?3 and fence = ?4 and owner_token = ?5 and ${OPEN}`,
  settle: `update mcp_tx_operations set state = ?1, outcome = ?2, ended_at = ?3, owner_token = null, lease_until = 0,
    expires_at = case when ?1 = 'in_doubt' then null else ?3 + retention_ms end
    where id = ?4 and fence = ?5 and owner_token = ?6 and (state = 'sent' or (state = 'claimed' and ?1 = 'failed'))`,
  end: `update mcp_tx_operations set state = ?1, outcome = ?2, ended_at = ?3, owner_token = null, lease_until = 0,
    expires_at = case when ?1 = 'in_doubt' then null else ?3 + retention_ms end, resolved_by = ?4 where id = ?5`,
  addResult: 'insert into mcp_tx_results (operation, result) values (?, ?)',
  contradict: 'update mcp_tx_operations set contradicted = 1 where id = ?',
  addAudit: 'insert into mcp_tx_audit (operation_key, at, "by", action, state, reason) values (?, ?, ?, ?, ?, ?)',
  runOut: `${ROW} where lease_until > 0 and lease_until <= ?1
    order by arguments is not null and (state = 'claimed' or mode <> 'at-most-once'), lease_until limit ?2`,
  free: `update mcp_tx_operations set lease_until = 0, ended_at = ?1, expires_at = ?1 + retention_ms where id = ?2`,
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

type StatementName =
  | ('byKey' | 'byId' | 'insert' | 'take' | 'repeated') // claim
  | ('markSent' | 'renew' | 'hold' | 'letGo') // while the lease lasts
  | ('settle' | 'end' | 'addResult' | 'contradict' | 'addAudit')
  | ('runOut' | 'free' | 'expired' | 'bury' | 'removeResult' | 'remove' | 'removeAudit'); // sweep and purge

export function prepareStatements(database: DatabaseSync): Statements {
  const entries = Object.entries(SQL).map(([name, text]) => [name, database.prepare(text)] as const);
  const statements = Object.fromEntries(entries) as Statements;
  // Node 22.13 to 22.15 cannot do this; there every row is an object.
  if ('setReturnArrays' in statements.byKey) statements.byKey.setReturnArrays(true);
  return statements;
}

/** The operation with this key, tombstone or not. Read as an array where Node can: that takes half the time of an object. */
export function rowByKey(sql: Statements, key: Uint8Array): OperationRow | undefined {
  const found = sql.byKey.get(key) as unknown;
  if (!Array.isArray(found)) return found as OperationRow | undefined;
  const row: Partial<Record<keyof OperationRow, unknown>> = {};
  for (let i = 0; i < COLUMNS.length; i += 1) row[COLUMNS[i] as keyof OperationRow] = found[i];
  return row as OperationRow;
}
