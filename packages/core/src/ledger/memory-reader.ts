/** The read side of the memory ledger: which records a query means, and the pages and counts made of them. */
import { McpTxError } from '../outcome/tx-error.ts';
import type { ListQuery, Page, Stats } from './ledger-reader.ts';
import { MemoryRecord } from './memory-record.ts';
import type { Tombstone } from './memory-tombstone.ts';
import type { OperationRecord } from './record.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** `entries` come oldest first. */
export function pageOf(
  entries: Iterable<MemoryRecord | Tombstone>,
  query: ListQuery,
  view: (record: MemoryRecord) => OperationRecord,
): Page {
  const limit = limitOf(query);
  const before = query.cursor === undefined ? Number.POSITIVE_INFINITY : sequenceOf(query.cursor);
  const found: MemoryRecord[] = [];
  for (const entry of entries) if (matches(entry, query) && entry.sequence < before) found.push(entry);
  const page = found.slice(-limit).reverse();
  const last = found.length > limit ? page.at(-1) : undefined;
  return { records: page.map(view), ...(last === undefined ? {} : { cursor: String(last.sequence) }) };
}

/** Counts what {@link pageOf} would list. */
export function statsOf(entries: Iterable<MemoryRecord | Tombstone>, query: ListQuery): Stats {
  const byState = { claimed: 0, sent: 0, completed: 0, failed: 0, in_doubt: 0 };
  let contradicted = 0;
  let total = 0;
  for (const entry of entries) {
    if (!matches(entry, query)) continue;
    byState[entry.state] += 1;
    total += 1;
    if (entry.contradicted) contradicted += 1;
  }
  return { byState, contradicted, total };
}

function matches(record: MemoryRecord | Tombstone, query: ListQuery): record is MemoryRecord {
  return (
    record instanceof MemoryRecord &&
    (query.states === undefined || query.states.includes(record.state)) &&
    (query.scope === undefined || query.scope === record.scope) &&
    (query.serverName === undefined || query.serverName === record.serverName) &&
    (query.tool === undefined || query.tool === record.tool) &&
    (query.contradicted === undefined || query.contradicted === record.contradicted)
  );
}

function limitOf(query: ListQuery): number {
  const limit = query.limit ?? DEFAULT_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new McpTxError('CALL_INVALID', `limit must be a whole number from 1 to ${MAX_LIMIT}, not ${limit}`);
}

function sequenceOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new McpTxError(
    'CALL_INVALID',
    'cursor is not one that list() gave; leave it out to start at the newest record',
  );
}
