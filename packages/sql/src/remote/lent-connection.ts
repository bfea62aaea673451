/** Lends a tool the connection of a transaction: through Kysely or by plain statements, until the transaction is about to end. */
import { McpTxError } from '@mcp-tx/core/ledger';
import type { CompiledQuery as Compiled, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { CompiledQuery, Kysely } from 'kysely';
import type { LedgerTables } from '../operations/tables.ts';

/** What a tool writes with: the ledger's own database, inside a transaction that is not the tool's to end. Dead after it. */
export interface SqlTransaction {
  /** Runs one statement, in the words of the database and with its own placeholders (`$1` on PostgreSQL, `?` on MySQL). */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<SqlAnswer<Row>>;
  /** The same connection, typed by your own tables. It has the plugins of the `db` that the ledger was given. */
  kysely<Tables>(): Kysely<Tables>;
}

/** What a statement answered. */
export interface SqlAnswer<Row> {
  readonly rows: readonly Row[];
  /** Rows that an insert, update or delete has changed. */
  readonly affectedRows: number;
}

/** The words of a kind of server, without its connections. */
export type Words = Pick<Dialect, 'createAdapter' | 'createQueryCompiler' | 'createIntrospector'>;

/** A loan. */
export interface LentConnection extends SqlTransaction {
  /** From now on every use of it is refused: what came later would be outside of the transaction. */
  takeBack(): void;
}

/** `owner`: whose plugins it gets. */
export function lendConnection(
  transaction: Kysely<LedgerTables>,
  words: Words,
  owner: Kysely<LedgerTables>,
): LentConnection {
  let isOver = false;
  const requireOpen = (): void => {
    if (isOver) throw new McpTxError('CALL_INVALID', 'the transaction is over; nothing can be written in it any more');
  };
  const connection = guarded(transaction, requireOpen);
  const dialect: Dialect = {
    createAdapter: () => words.createAdapter(),
    createQueryCompiler: () => words.createQueryCompiler(),
    createIntrospector: (db) => words.createIntrospector(db),
    createDriver: () => new LentDriver(connection),
  };
  const plain = new Kysely<unknown>({ dialect });
  const plugins = [...owner.getExecutor().plugins];
  return {
    kysely: <Tables>() => new Kysely<Tables>({ dialect, plugins }),
    query: async <Row>(text: string, values: readonly unknown[] = []) => {
      const { rows, numAffectedRows = 0n } = await plain.executeQuery<Row>(CompiledQuery.raw(text, [...values]));
      return { rows, affectedRows: Number(numAffectedRows) };
    },
    takeBack() {
      isOver = true;
    },
  };
}

/** Asked twice: what stood in line behind another statement must not be run after the end either. */
function guarded(transaction: Kysely<LedgerTables>, requireOpen: () => void): DatabaseConnection {
  const executor = transaction.getExecutor();
  return {
    executeQuery: <Row>(query: Compiled): Promise<QueryResult<Row>> => {
      requireOpen();
      return executor.provideConnection(async (own) => {
        requireOpen();
        return own.executeQuery<Row>(query);
      });
    },
    // biome-ignore lint/correctness/useYield: it only refuses
    async *streamQuery() {
      throw new McpTxError('CALL_INVALID', 'the transaction of a call does not stream; ask for the rows at once');
    },
  };
}

class LentDriver implements Driver {
  readonly #connection: DatabaseConnection;

  constructor(connection: DatabaseConnection) {
    this.#connection = connection;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    throw new McpTxError('CALL_INVALID', 'this is inside a transaction already; for a part of it use a savepoint');
  }

  async commitTransaction(): Promise<void> {}

  async rollbackTransaction(): Promise<void> {}

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}
