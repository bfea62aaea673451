/** Ledgers on database servers, each on a database of its own, and the store seen with its own eyes. */
import { fromBase32 } from '@mcp-tx/core/ledger';
import type { RawRecord } from '@mcp-tx/testing/ledger-contract';
import type { Service } from '@mcp-tx/testing/services';
import mysql from 'mysql2';
import pg from 'pg';
import type { SqlLedger, SqlLedgerOptions } from '../../src/index.ts';
import { sqlLedger } from '../../src/index.ts';

/** A database with its pool. */
export interface RemoteDatabase {
  readonly options: Required<Pick<SqlLedgerOptions, 'pool'>>;
  query(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** A connection of the pool, for transactions of one's own. */
  connect(): Promise<{ readonly connection: OwnConnection; free(): void }>;
  end(): Promise<void>;
}

/** A client of pg, or a connection of mysql2/promise. */
interface OwnConnection {
  query(text: string): Promise<unknown>;
}

export type Kind = 'postgres' | 'mysql';

/** Connects to a database; `name` must be one that there is. */
export function connectTo(kind: Kind, port: number, name: string, connectionLimit: number = 10): RemoteDatabase {
  if (kind === 'postgres') {
    const at = { host: '127.0.0.1', port, user: 'postgres', database: name, max: connectionLimit };
    const pool = new pg.Pool({ ...at, connectionTimeoutMillis: 2_000 });
    return {
      options: { pool },
      query: async (text, values) => (await pool.query(text, values as unknown[])).rows,
      async connect() {
        const connection = await pool.connect();
        return { connection, free: () => connection.release() };
      },
      end: () => pool.end(),
    };
  }
  const pool = mysql.createPool({
    host: '127.0.0.1',
    port,
    user: 'root',
    database: name,
    connectionLimit,
    supportBigNumbers: true,
  });
  return {
    options: { pool },
    query: async (text, values) =>
      (await pool.promise().query(text, values as unknown[]))[0] as Record<string, unknown>[],
    async connect() {
      const connection = await pool.promise().getConnection();
      return { connection, free: () => connection.release() };
    },
    end: () => pool.promise().end(),
  };
}

/** PostgreSQL cannot keep NUL, and the ledger writes it otherwise there. */
function unescaped(text: string): string {
  return text.replaceAll('\u{E000}0', '\0').replaceAll('\u{E000}1', '\u{E000}');
}

let count = 0;

/** Makes an empty database; returns its name. */
export async function newDatabase(kind: Kind, { port }: Service): Promise<string> {
  count += 1;
  const name = `ledger_${process.pid}_${count}`;
  const admin = connectTo(kind, port, kind === 'postgres' ? 'postgres' : 'mcp_tx', 1);
  await admin.query(`create database ${name}`);
  await admin.end();
  return name;
}

export function openLedger(database: RemoteDatabase, clock?: SqlLedgerOptions['clock']): SqlLedger {
  return sqlLedger({ ...database.options, migrate: 'auto', ...(clock === undefined ? {} : { clock }) });
}

/** Looks an operation up with statements of its own. */
export async function rawRecord(kind: Kind, eyes: RemoteDatabase, operationId: string): Promise<RawRecord | undefined> {
  const mark = kind === 'postgres' ? '$1' : '?';
  const [row] = await eyes.query(`select * from mcp_tx_operations where operation_key = ${mark}`, [
    Buffer.from(fromBase32(operationId.slice(3)) ?? ''),
  ]);
  if (row === undefined || row.tombstone === 1) return undefined;
  return {
    state: String(row.state),
    fence: Number(row.fence),
    attempts: Number(row.attempts),
    result: row.result === null ? undefined : unescaped(String(row.result)),
  };
}
