/** The read side of a ledger: lists, counts and audit, through Kysely. */
import type { AuditLine, ListQuery, Page, Stats } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Kysely, SelectQueryBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Codec } from './codec.ts';
import type { OperationRow } from './rows.ts';
import { keyOf, toRecord } from './rows.ts';
import type { LedgerTables } from './tables.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** @throws McpTxError `CALL_INVALID` */
export async function list(db: Kysely<LedgerTables>, codec: Codec, query: ListQuery): Promise<Page> {
  const limit = limitOf(query);
  const found: readonly OperationRow[] = await rowsOf(db, codec, query, limit + 1).execute(); // one more: is there a next page?
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return {
    records: page.map((row) => toRecord(codec.toRow(row))),
    ...(last === undefined ? {} : { cursor: String(last.id) }),
  };
}

/** The rows that a query means, newest first. */
export function rowsOf(
  db: Kysely<LedgerTables>,
  codec: Codec,
  query: ListQuery,
  limit: number,
): SelectQueryBuilder<LedgerTables, 'mcp_tx_operations', OperationRow> {
  const matched = matching(db, codec, query);
  const whole = (
    codec.results === 'in rows'
      ? matched
      : matched
          .leftJoin('mcp_tx_results', 'mcp_tx_results.operation', 'mcp_tx_operations.id')
          .select('mcp_tx_results.result')
  ) as typeof matched;
  const rows = whole.selectAll('mcp_tx_operations').orderBy('mcp_tx_operations.id', 'desc').limit(limit);
  const from = query.cursor === undefined ? rows : rows.where('mcp_tx_operations.id', '<', idOf(query.cursor));
  return from as unknown as SelectQueryBuilder<LedgerTables, 'mcp_tx_operations', OperationRow>; // the join adds a table
}

export async function stats(db: Kysely<LedgerTables>, codec: Codec, query: ListQuery): Promise<Stats> {
  const counted = await matching(db, codec, query)
    .select(['state', 'contradicted'])
    .select((of) => of.fn.countAll<number>().as('count'))
    .groupBy(['state', 'contradicted'])
    .execute();
  const byState = { claimed: 0, sent: 0, completed: 0, failed: 0, in_doubt: 0 };
  let contradicted = 0;
  let total = 0;
  for (const row of counted) {
    const count = codec.toNumber(row.count);
    byState[row.state] += count;
    total += count;
    if (row.contradicted === 1) contradicted += count;
  }
  return { byState, contradicted, total };
}

export async function audit(
  db: Kysely<LedgerTables>,
  codec: Codec,
  operationId: string,
): Promise<readonly AuditLine[]> {
  const key = keyOf(operationId);
  if (key === undefined) return [];
  const lines = await db
    .selectFrom('mcp_tx_audit')
    .select(['at', 'by', 'action', 'state', 'reason'])
    .where('operation_key', '=', key)
    .orderBy('id')
    .execute();
  const { toText, toNumber } = codec;
  return lines.map(({ at, by, action, state, reason }) => {
    const told = { by: toText(by), action: toText(action), state: toText(state), reason: toText(reason) };
    return { operationId, at: toNumber(at), ...told } as AuditLine;
  });
}

function matching(
  db: Kysely<LedgerTables>,
  codec: Codec,
  query: ListQuery,
): SelectQueryBuilder<LedgerTables, 'mcp_tx_operations', object> {
  let rows = db.selectFrom('mcp_tx_operations').where('tombstone', '=', 0);
  // Literals, not parameters: only then may SQLite use the small indexes of what is in doubt and of what is contradicted.
  if (query.states !== undefined) {
    const [only, ...more] = query.states;
    if (only === undefined) rows = rows.where(sql<boolean>`1 = 0`);
    else if (more.length === 0) rows = rows.where('state', '=', sql.lit(only));
    else rows = rows.where('state', 'in', query.states);
  }
  if (query.contradicted !== undefined) rows = rows.where('contradicted', '=', sql.lit(query.contradicted ? 1 : 0));
  if (query.scope !== undefined) rows = rows.where('scope', '=', columnOf(codec, query.scope));
  if (query.serverName !== undefined) rows = rows.where('server_name', '=', columnOf(codec, query.serverName));
  if (query.tool !== undefined) rows = rows.where('tool', '=', columnOf(codec, query.tool));
  return rows;
}

function limitOf(query: ListQuery): number {
  const limit = query.limit ?? DEFAULT_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new McpTxError('CALL_INVALID', `limit must be a whole number from 1 to ${MAX_LIMIT}, not ${limit}`);
}

function idOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new McpTxError(
    'CALL_INVALID',
    'cursor is not one that list() gave; leave it out to start at the newest record',
  );
}

/** A name as it is stored. The tables' types speak of texts, which all but those with NUL are. */
function columnOf(codec: Codec, name: string): string {
  return codec.toColumn(name) as string;
}
