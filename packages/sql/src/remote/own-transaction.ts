/** Speaks through a transaction that somebody else has begun, and will end: Kysely's, or a client of pg or mysql2. */
import { McpTxError } from '@mcp-tx/core/ledger';
import type { CompiledQuery, Kysely, QueryResult } from 'kysely';
import type { Executor } from '../operations/run-steps.ts';
import type { LedgerTables } from '../operations/tables.ts';
import type { Flavour } from './flavour.ts';

/** A client of `pg`, or a connection of `mysql2` or `mysql2/promise`, on which a transaction was begun. */
export interface SqlConnection {
  query(...given: never[]): unknown;
}

/** A transaction of Kysely's, whatever tables it knows. */
export interface KyselyTransaction {
  readonly isTransaction: boolean;
  getExecutor(): unknown;
}

/** A transaction of your own, begun on the ledger's database. */
export type OwnTransaction = KyselyTransaction | SqlConnection;

interface PgClient {
  query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[]; readonly rowCount: number | null }>;
  /** `I`: idle, no transaction. Since pg 8.21. */
  getTransactionStatus?(): string | null;
}

interface MysqlConnection {
  query(text: string, values: unknown[]): Promise<[unknown, unknown]>;
  promise?(): MysqlConnection;
}

/** @throws McpTxError `CALL_INVALID` for what is no transaction, as far as that can be seen */
export function executorOf(transaction: OwnTransaction, flavour: Pick<Flavour, 'name'>): Executor {
  if (isKysely(transaction)) {
    if (!transaction.isTransaction) throw noTransaction('this is Kysely itself; give what its transaction() hands you');
    return (transaction as unknown as Kysely<LedgerTables>).withoutPlugins();
  }
  if (typeof (transaction as Partial<SqlConnection> | undefined)?.query !== 'function')
    throw noTransaction('give a transaction of Kysely’s, or the connection on which you have begun one');
  if ('totalCount' in transaction || 'getConnection' in transaction)
    throw noTransaction('this is a pool; give the connection on which you have begun a transaction');
  return flavour.name === 'postgres' ? overPg(transaction as never) : overMysql(transaction as never);
}

function isKysely(transaction: OwnTransaction | undefined): transaction is KyselyTransaction {
  return typeof (transaction as Partial<KyselyTransaction> | undefined)?.getExecutor === 'function';
}

function overPg(client: PgClient): Executor {
  if (client.getTransactionStatus?.() === 'I') throw noTransaction('nothing was begun on this client');
  return {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      const { rows, rowCount } = await client.query(sql, [...parameters]);
      return { rows: rows as Row[], numAffectedRows: BigInt(rowCount ?? 0) };
    },
  };
}

function overMysql(given: MysqlConnection): Executor {
  const connection = given.promise?.() ?? given;
  return {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      const [answer] = await connection.query(sql, [...parameters]);
      if (Array.isArray(answer)) return { rows: answer as Row[] };
      const { affectedRows, insertId } = answer as { readonly affectedRows: number; readonly insertId: number };
      return { rows: [], numAffectedRows: BigInt(affectedRows), insertId: BigInt(insertId) };
    },
  };
}

function noTransaction(what: string): McpTxError {
  return new McpTxError('CALL_INVALID', `enroll: ${what}`);
}
