/** PostgreSQL: its words, its clock, its errors. */
import type { TxErrorCode } from '@mcp-tx/core/ledger';
import { isMcpTxError, McpTxError } from '@mcp-tx/core/ledger';
import { PostgresDialect } from 'kysely';
import type { Names } from '../operations/names.ts';
import { rename } from '../operations/names.ts';
import type { StatementName } from '../operations/statements.ts';
import { SQL_IN_ROWS } from '../operations/statements.ts';
import type { Flavour } from './flavour.ts';
import { digestBytes } from './flavour.ts';
import { migratePostgres } from './migrate.ts';
import { postgresBatches } from './postgres-batches.ts';
import { postgresCodec } from './postgres-codec.ts';
import { preparable } from './prepared.ts';

/** SQLSTATE classes and codes (PostgreSQL documentation, appendix A). */
const CURES: Readonly<Record<string, readonly [TxErrorCode, string]>> = {
  '42P01': ['LEDGER_VERSION', "its tables are not there; open it with migrate: 'auto' once"],
  '3F000': ['LEDGER_VERSION', "its schema is not there; open it with migrate: 'auto' once"],
  '42703': ['LEDGER_VERSION', "its tables are of another version; open it with migrate: 'auto' once"],
  '42501': ['LEDGER_UNAVAILABLE', 'this user may not use its tables; grant select, insert, update and delete on them'],
  '28P01': ['LEDGER_UNAVAILABLE', 'the server refuses the password'],
  '53300': ['LEDGER_UNAVAILABLE', 'the server has no connection left; make pools smaller, or raise max_connections'],
  '53100': ['LEDGER_UNAVAILABLE', 'the disk is full; free some space and repeat the call'],
};

const NOW = 'select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms';

/** The flavour. */
export function postgres(names: Names): Flavour {
  const renamed = (text: string): string => rename(names, text, '"');
  const texts = new Map<string, string>();
  const text = (statement: StatementName, locking: boolean): string => {
    const key = locking ? `${statement} for update` : statement;
    const known = texts.get(key) ?? preparable(renamed(textOf(statement, locking)));
    texts.set(key, known);
    return known;
  };
  return {
    ...SERVER,
    text,
    migrate: (db) => migratePostgres(db, names, NOW),
    writing: (run, clock) => postgresBatches(run, clock, (text) => preparable(renamed(text))),
  };
}

/** What does not depend on names. */
const SERVER: Omit<Flavour, 'text' | 'migrate' | 'writing'> = {
  name: 'postgres',
  codec: postgresCodec,
  bind: (statement, bound) =>
    bound.map((value, index) => {
      if (statement === 'insert' && index === 1) return digestBytes(value);
      return typeof value === 'string' ? postgresCodec.toColumn(value) : value;
    }),
  now: NOW,
  syncs:
    "select case when current_setting('synchronous_commit') = 'off' or current_setting('fsync') = 'off' then 0 else 1 end as value",
  words: new PostgresDialect({ pool: async () => Promise.reject(new Error('it has no connections')) }),
  // A process that stands still would keep its rows locked for ever; and a rollback waits behind a statement that is under way.
  limit: (ms) =>
    `select ${['statement_timeout', 'idle_in_transaction_session_timeout'].map((name) => `set_config('${name}', '${Math.ceil(ms)}', true)`).join(', ')}`,
  whyNoSavepoint(error) {
    if (codeOf(error) === '25P02') return 'failed';
    return ['3B001', '25P01'].includes(codeOf(error) ?? '') ? 'over' : undefined;
  },
  isDuplicate: () => false, // the statement says "on conflict do nothing"
  isAboutOne: (error) => ['22', '23', '54'].includes((codeOf(error) ?? '').slice(0, 2)),
  isTransient: (error) => ['40001', '40P01'].includes(codeOf(error) ?? ''),
  toLedgerError(error) {
    if (isMcpTxError(error)) return error;
    const [code, cure] = CURES[codeOf(error) ?? ''] ?? ['LEDGER_UNAVAILABLE', wordsOf(error)];
    return new McpTxError(code, `The ledger on PostgreSQL: ${cure}.`, { cause: error });
  },
};

function textOf(statement: StatementName, locking: boolean): string {
  const [first = '', ...others] = SQL_IN_ROWS[statement].split('?');
  const numbered = others.reduce((before, after, index) => `${before}$${index + 1}${after}`, first);
  return `${numbered}${statement === 'insert' ? ' returning id' : ''}${locking ? ' for update' : ''}`;
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

function wordsOf(error: unknown): string {
  return `the database says: ${error instanceof Error ? error.message || String(codeOf(error)) : String(error)}`;
}
