/** The read side of the ledger: lists and counts, a bounded number of records at a time, so that the server is never held up. */
import type { AuditLine, ListQuery, OperationRecord, OperationState, Page, Stats } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Connection, Reply } from './connection.ts';
import { optional, seqOf, toRecord } from './records.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
/** Records that one script looks at. */
const AT_ONCE = 500;
/** Records that one script tells: they may be large. */
const TOLD_AT_ONCE = 100;
const STATES: readonly OperationState[] = ['claimed', 'sent', 'completed', 'failed', 'in_doubt'];

/** @throws McpTxError `CALL_INVALID` */
export async function list(connection: Connection, query: ListQuery): Promise<Page> {
  const limit = limitOf(query);
  const found: (readonly [OperationRecord, string])[] = [];
  let below = query.cursor === undefined ? '+inf' : `(${numberOf(query.cursor)}`;
  while (below !== '' && found.length <= limit) {
    const wanted = Math.min(limit + 1 - found.length, TOLD_AT_ONCE); // one more: is there a next page?
    const [told, next] = await walk(connection, query, below, wanted);
    for (const fields of told as readonly Reply[]) found.push([toRecord(fields), seqOf(fields)]);
    below = String(next);
  }
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return { records: page.map(([record]) => record), ...(last === undefined ? {} : { cursor: last[1] }) };
}

export async function stats(connection: Connection, query: Omit<ListQuery, 'limit' | 'cursor'>): Promise<Stats> {
  if (Object.values(query).every((filter) => filter === undefined)) return statsOfAll(connection);
  const byState = { claimed: 0, sent: 0, completed: 0, failed: 0, in_doubt: 0 };
  let contradicted = 0;
  let total = 0;
  let below = '+inf';
  while (below !== '') {
    const [told, next] = await walk(connection, query, below, 'count');
    const counts = told as readonly string[];
    for (let at = 0; at < counts.length; at += 2) {
      const [state, flag] = (counts[at] ?? '').split(' ') as [OperationState, string];
      const count = Number(counts[at + 1]);
      byState[state] += count;
      total += count;
      if (flag === '1') contradicted += count;
    }
    below = String(next);
  }
  return { byState, contradicted, total };
}

async function statsOfAll(connection: Connection): Promise<Stats> {
  const [told, contradicted] = await connection.run('count', STATES);
  const counts = (told as readonly unknown[]).map(Number);
  const byState = Object.fromEntries(STATES.map((state, at) => [state, counts[at]])) as Stats['byState'];
  return { byState, contradicted: Number(contradicted), total: counts.reduce((sum, count) => sum + count, 0) };
}

export async function audit(connection: Connection, operationId: string): Promise<readonly AuditLine[]> {
  const [lines] = await connection.run('audit', [operationId]);
  return (lines as readonly string[]).map((line) => {
    const [at, action, ...told] = line.split(' ');
    const { by, state, reason } = JSON.parse(told.join(' ')) as Pick<AuditLine, 'by' | 'state' | 'reason'>;
    return { operationId, at: Number(at), by, action: action as AuditLine['action'], state, reason };
  });
}

function walk(
  connection: Connection,
  query: ListQuery,
  below: string,
  wanted: number | 'count',
): Promise<readonly unknown[]> {
  const { scope, serverName, tool, contradicted, states = STATES } = query;
  const flag = contradicted === undefined ? undefined : contradicted ? '1' : '0';
  const filters = [scope, serverName, tool, flag].map(optional);
  const sets = STATES.filter((state) => states.includes(state)).map((state) => `state:${state}`);
  return connection.run('walk', [below, AT_ONCE, wanted, ...filters, ...sets]);
}

function limitOf(query: ListQuery): number {
  const limit = query.limit ?? DEFAULT_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new McpTxError('CALL_INVALID', `limit must be a whole number from 1 to ${MAX_LIMIT}, not ${limit}`);
}

function numberOf(cursor: string): string {
  if (/^\d{1,15}$/.test(cursor)) return cursor;
  throw new McpTxError(
    'CALL_INVALID',
    'cursor is not one that list() gave; leave it out to start at the newest record',
  );
}
