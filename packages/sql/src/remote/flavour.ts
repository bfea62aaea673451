/** What differs between database servers: their words, their clocks, their errors. */
import type { ClaimRequest, Lease, McpTxError, Outcome } from '@mcp-tx/core/ledger';
import type { Kysely } from 'kysely';
import type { OperationRow } from '../operations/rows.ts';
import type { Speech } from '../operations/run-steps.ts';
import type { Bound } from '../operations/steps.ts';
import type { LedgerTables } from '../operations/tables.ts';
import type { Words } from './lent-connection.ts';
import type { StoreClock } from './store-clock.ts';

/** A claim of an operation that is most likely new. */
export interface NewClaim {
  readonly request: ClaimRequest;
  readonly key: Uint8Array;
}

/** An end. */
export interface NewEnd {
  readonly lease: Lease;
  readonly outcome: Outcome;
}

/** What became of a claim at the server. */
export interface Written {
  readonly key: Uint8Array;
  readonly id: number;
  /** Where it was there already: the row, and the server's time. */
  readonly found?: { readonly row: OperationRow; readonly now: number };
}

/** What became of many claims and ends. */
export interface WrittenBatch {
  readonly written: readonly Written[];
  /** Row numbers. */
  readonly ended: readonly number[];
}

/**
 * Claims what is new and ends what is held, each operation once. What is missing in the answer has to be looked at alone. Rejects when
 * nothing is known of any of them.
 */
export type WriteBatch = (claims: readonly NewClaim[], ends: readonly NewEnd[]) => Promise<WrittenBatch>;

/** Runs a statement of ours that is a transaction in itself. */
export type RunStatement = (text: string, values: readonly unknown[]) => Promise<StatementAnswer>;

/** What came of it. */
export interface StatementAnswer {
  readonly rows: readonly unknown[];
  readonly affectedRows: number;
  /** Number of the first row that was inserted, where the server tells it so. */
  readonly insertId?: number | undefined;
}

/** One kind of server, with the names of one ledger on it. */
export interface Flavour extends Speech {
  readonly name: 'postgres' | 'mysql';
  /** Reads the server's clock as `ms`, epoch ms. */
  readonly now: string;
  /** Says as `value` whether a commit is on the disk before it is acknowledged: 1 or 0. */
  readonly syncs: string;
  /** What its dialect of Kysely is made of. */
  readonly words: Words;
  /** Makes the server itself end the transaction when nothing was heard of it for `ms`, where it can do that for just this one. */
  limit?(ms: number): string;
  /** Why a savepoint could not be released: its transaction is over, or a statement in it has failed. */
  whyNoSavepoint(error: unknown): 'over' | 'failed' | undefined;
  /** Applies what is missing, while all others wait. @throws McpTxError `LEDGER_VERSION` */
  migrate(db: Kysely<LedgerTables>): Promise<void>;
  /** Many claims or ends in one go. */
  writing(run: RunStatement, clock: StoreClock | undefined): WriteBatch;
  /** An insert failed because its row is there. The transaction holds a lock of that row by now, so it is begun anew. */
  isDuplicate(error: unknown): boolean;
  /** An error that a single value has caused. */
  isAboutOne(error: unknown): boolean;
  /** Two transactions were in each other's way and this one was rolled back: it may simply be repeated. */
  isTransient(error: unknown): boolean;
  toLedgerError(error: unknown): McpTxError;
}

/** Columns whose values are numbers: some drivers give them as text. */
export const NUMBERS: readonly string[] = [
  ...['id', 'attempts', 'attempt_limit', 'fence', 'took_over', 'lease_until', 'deadline_at', 'settle_window_ms'],
  ...['retention_ms', 'created_at', 'sent_at', 'ended_at', 'expires_at', 'contradicted', 'tombstone'],
  ...['operation', 'at', 'applied_at', 'send_until'],
];
/** Columns that hold bytes of their own accord. */
export const BYTES: readonly string[] = ['operation_key', 'digest'];

const DIGEST_TEXT = 'mcp-tx digest as text: ';

/** A digest that is no hex SHA-256 is kept as the bytes of its text, which are more than the 16 of a real one's half. */
export function digestBytes(digest: Bound | undefined): Uint8Array {
  return typeof digest === 'string' ? Buffer.from(DIGEST_TEXT + digest) : (digest as Uint8Array);
}

/** A row as a driver gave it; `toText` reads its texts. */
export function rowOf(found: unknown, toText: (column: unknown) => string): OperationRow {
  const row: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(found as object)) {
    if (value === null) row[column] = null;
    else if (NUMBERS.includes(column)) row[column] = Number(value);
    else if (column === 'digest') row[column] = digestOf(value as Uint8Array);
    else row[column] = BYTES.includes(column) ? value : toText(value);
  }
  return row as OperationRow;
}

function digestOf(bytes: Uint8Array): Uint8Array | string {
  return bytes.length === 16 ? bytes : Buffer.from(bytes).toString().slice(DIGEST_TEXT.length);
}
