/** MySQL and MariaDB: their words, their clocks, their errors. */
import type { TxErrorCode } from '@mcp-tx/core/ledger';
import { isMcpTxError, McpTxError } from '@mcp-tx/core/ledger';
import { MysqlDialect } from 'kysely';
import type { Codec } from '../operations/codec.ts';
import type { Names } from '../operations/names.ts';
import { rename } from '../operations/names.ts';
import type { StatementName } from '../operations/statements.ts';
import { SQL_IN_ROWS } from '../operations/statements.ts';
import type { Flavour } from './flavour.ts';
import { digestBytes, rowOf } from './flavour.ts';
import { migrateMysql } from './migrate.ts';
import { mysqlBatches } from './mysql-batches.ts';

/** Texts stand in binary columns: collations merge `A` with `a`, and `a` with `a `. */
const codec: Codec = {
  results: 'in rows',
  toRow: (found) => rowOf(found, toText),
  toColumn: (text) => Buffer.from(text),
  toText,
  toNumber: Number,
};

/** Error numbers (MySQL reference manual, appendix B; MariaDB has the same). */
const CURES: Readonly<Record<number, readonly [TxErrorCode, string]>> = {
  1146: ['LEDGER_VERSION', "its tables are not there; open it with migrate: 'auto' once"],
  1049: ['LEDGER_VERSION', "its database is not there; open it with migrate: 'auto' once"],
  1054: ['LEDGER_VERSION', "its tables are of another version; open it with migrate: 'auto' once"],
  1142: ['LEDGER_UNAVAILABLE', 'this user may not use its tables; grant select, insert, update and delete on them'],
  1045: ['LEDGER_UNAVAILABLE', 'the server refuses the user or the password'],
  1040: ['LEDGER_UNAVAILABLE', 'the server has no connection left; make pools smaller, or raise max_connections'],
  1153: [
    'LEDGER_UNAVAILABLE',
    'a result is larger than the server’s max_allowed_packet; raise that, or maxResultLength',
  ],
};
const DUPLICATE = 1062;
const NO_SAVEPOINT = 1305;
/** Too long for its column; out of range; of another kind; larger than a packet. */
const OF_A_VALUE: readonly unknown[] = [1406, 1264, 1366, 1153];
/** Deadlock; lock wait timeout; MariaDB: record has changed since last read. */
const TRANSIENT: readonly unknown[] = [1213, 1205, 1020];

/** Not by way of the session's time zone, in which an hour of the year comes twice. One instant throughout a statement. */
const SERVER_NOW = "(timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000)";
const NOW = `select ${SERVER_NOW} as ms`;

/** The flavour. */
export function mysql(names: Names): Flavour {
  return {
    ...SERVER,
    text: (statement, locking) => rename(names, textOf(statement, locking), '`'),
    migrate: (db) => migrateMysql(db, names, NOW),
    writing: (run, clock) => mysqlBatches(run, clock, names, SERVER, SERVER_NOW),
  };
}

/** What does not depend on names. */
const SERVER: Omit<Flavour, 'text' | 'migrate' | 'writing'> = {
  name: 'mysql',
  codec,
  bind: (statement, bound) =>
    bound.map((value, index) => {
      if (statement === 'insert' && index === 1) return digestBytes(value);
      return typeof value === 'string' ? Buffer.from(value) : value;
    }),
  now: NOW,
  syncs: 'select cast(@@global.innodb_flush_log_at_trx_commit = 1 as signed) as value',
  words: new MysqlDialect({ pool: async () => Promise.reject(new Error('it has no connections')) }),
  whyNoSavepoint: (error) => (numberOf(error) === NO_SAVEPOINT ? 'over' : undefined),
  isDuplicate: (error) => numberOf(error) === DUPLICATE,
  isAboutOne: (error) => [...OF_A_VALUE, ...TRANSIENT].includes(numberOf(error)),
  isTransient: (error) => TRANSIENT.includes(numberOf(error)),
  toLedgerError(error) {
    if (isMcpTxError(error)) return error;
    const [code, cure] = CURES[numberOf(error) ?? 0] ?? ['LEDGER_UNAVAILABLE', wordsOf(error)];
    return new McpTxError(code, `The ledger on MySQL: ${cure}.`, { cause: error });
  },
};

function textOf(statement: StatementName, locking: boolean): string {
  const words = SQL_IN_ROWS[statement].replace('on conflict (operation_key) do nothing', '').replaceAll('"by"', '`by`');
  return locking ? `${words} for update` : words;
}

function numberOf(error: unknown): number | undefined {
  const { errno } = (error ?? {}) as { readonly errno?: unknown };
  return typeof errno === 'number' ? errno : undefined;
}

function wordsOf(error: unknown): string {
  return `the database says: ${error instanceof Error ? error.message : String(error)}`;
}

function toText(column: unknown): string {
  return column instanceof Uint8Array ? Buffer.from(column).toString() : String(column);
}
