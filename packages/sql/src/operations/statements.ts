/** Every statement, in the words that all databases share. A database's own dialect is put over it where it is used. */
import type { OperationRow } from './rows.ts';

/** The columns of a row, in the order of every statement that reads rows. */
export const COLUMNS: readonly (keyof OperationRow)[] = [
  ...(['id', 'operation_key', 'digest', 'scope', 'server_name', 'tool', 'idempotency_key', 'fingerprint'] as const),
  ...(['request_id', 'owner_token', 'state', 'mode', 'attempts', 'attempt_limit', 'fence', 'took_over'] as const),
  ...(['lease_until', 'deadline_at', 'settle_window_ms', 'retention_ms', 'arguments', 'send_until'] as const),
  ...([
    'quarantine_session',
    'created_at',
    'sent_at',
    'ended_at',
    'expires_at',
    'outcome',
    'resolved_by',
    'contradicted',
  ] as const),
  ...(['tombstone', 'result'] as const),
];
const APART = ' left join mcp_tx_results on operation = id';
const ROW = `select ${COLUMNS.join(', ')} from mcp_tx_operations${APART}`;
const OPEN = "state in ('claimed', 'sent')";
/** Has arguments, and may be sent: somebody can run it. */
const RUNNABLE = "(arguments is not null and (state = 'claimed' or mode <> 'at-most-once'))";
const RUN_OUT = `${ROW} where lease_until > 0 and lease_until <= ?`;
/** Compare-and-set: the row is still the one that the lease was given for, and nobody has come since. */
const HELD = `id = ? and fence = ? and owner_token = ? and ${OPEN}`;

/** How many rows a statement for several names. */
export const ROWS_AT_ONCE = 50;
const SEVERAL = `in (${Array(ROWS_AT_ONCE).fill('?').join(', ')})`;

const INSERT_COLUMNS = [
  ...['operation_key', 'digest', 'scope', 'server_name', 'tool', 'idempotency_key', 'fingerprint', 'request_id'],
  ...['owner_token', 'state', 'mode', 'attempts', 'attempt_limit', 'fence', 'lease_until', 'deadline_at'],
  ...['settle_window_ms', 'retention_ms', 'arguments', 'quarantine_session', 'created_at', 'sent_at', 'send_until'],
];

/** Their texts, where results have a table of their own. */
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
  markSent: `update mcp_tx_operations set sent_at = case when attempts = ? then sent_at else ? end, state = 'sent', attempts = ?,
    took_over = 0, lease_until = ?, ended_at = null, expires_at = null
    where ${HELD} and ((? > attempts and ? <= attempt_limit) or (? = attempts and state = 'sent' and took_over = 0))`,
  renew: `update mcp_tx_operations set lease_until = ?, ended_at = null, expires_at = null where ${HELD}`,
  hold: `update mcp_tx_operations set state = 'claimed', attempts = ?, took_over = 0, lease_until = ?,
    ended_at = null, expires_at = null where ${HELD}`,
  letGo: `update mcp_tx_operations set state = 'claimed', attempts = ?, took_over = 0, lease_until = 0, owner_token = null,
    ended_at = ?, expires_at = ? + retention_ms where ${HELD} and (send_until is null or send_until <= ?)`,
  putBack: `update mcp_tx_operations set state = 'claimed', attempts = ?, took_over = 0, lease_until = ?, owner_token = null
    where ${HELD} and send_until > ?`,
  intend: `update mcp_tx_operations set send_until = ?, arguments = ?, lease_until = ?, ended_at = null, expires_at = null where id = ?`,
  settle: `update mcp_tx_operations set state = ?, outcome = ?, ended_at = ?, expires_at = ? + retention_ms,
    owner_token = null, lease_until = 0 where ${HELD} and (state = 'sent' or ? = 1)`,
  end: `update mcp_tx_operations set state = ?, outcome = ?, ended_at = ?, expires_at = ? + retention_ms,
    owner_token = null, lease_until = 0, resolved_by = ? where id = ?`,
  addResult: 'insert into mcp_tx_results (result, operation) values (?, ?)',
  contradict: 'update mcp_tx_operations set contradicted = 1 where id = ?',
  addAudit: 'insert into mcp_tx_audit (operation_key, at, "by", action, state, reason) values (?, ?, ?, ?, ?, ?)',
  runOut: `${RUN_OUT} order by ${RUNNABLE}, lease_until limit ?`,
  runOutOf: `${RUN_OUT} and (server_name = ? or not ${RUNNABLE}) order by ${RUNNABLE}, lease_until limit ?`,
  free: `update mcp_tx_operations set lease_until = 0, ended_at = ?, expires_at = ? + retention_ms where id = ?`,
  expired: `select id, operation_key, state, idempotency_key, tombstone from mcp_tx_operations
    where lease_until = 0 and expires_at <= ? order by expires_at limit ?`,
  bury: `update mcp_tx_operations set tombstone = 1, expires_at = expires_at + 10 * retention_ms, scope = '', server_name = '',
    tool = '', idempotency_key = null, request_id = '', arguments = null, outcome = null, quarantine_session = null where id ${SEVERAL}`,
  removeResults: `delete from mcp_tx_results where operation ${SEVERAL}`,
  remove: `delete from mcp_tx_operations where id ${SEVERAL}`,
  removeAudits: `delete from mcp_tx_audit where operation_key ${SEVERAL}`,
};

/** The same where a result stands in the row of its operation: a call then costs no row more. */
export const SQL_IN_ROWS: Readonly<Record<StatementName, string>> = {
  ...SQL,
  ...Object.fromEntries(Object.entries(SQL).map(([name, text]) => [name, text.replace(APART, '')])),
  addResult: 'update mcp_tx_operations set result = ? where id = ?',
  bury: SQL.bury.replace('outcome = null', 'outcome = null, result = null'),
};

/** What finds rows; everything else writes. */
export const READS: ReadonlySet<StatementName> = new Set([
  ...(['byKey', 'byId', 'repeated', 'runOut', 'runOutOf', 'expired'] as const),
]);

/** What each is for, by group. */
export type StatementName =
  | ('byKey' | 'byId' | 'insert' | 'take' | 'repeated' | 'intend') // claim
  | ('markSent' | 'renew' | 'hold' | 'letGo' | 'putBack') // while the lease lasts
  | ('settle' | 'end' | 'addResult' | 'contradict' | 'addAudit')
  | ('runOut' | 'runOutOf' | 'free' | 'expired' | 'bury' | 'removeResults' | 'remove' | 'removeAudits'); // sweep and purge
