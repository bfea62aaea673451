/** What a user says of a ledger on a database server, with every default, and the check that names a wrong field. */
import type { Durability } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Dialect, Kysely as KyselyInstance, MysqlPool, PostgresPool } from 'kysely';
import { CompiledQuery, Kysely, MysqlAdapter, PostgresAdapter } from 'kysely';
import type { NameOptions, Names } from '../operations/names.ts';
import { namesOf, renaming } from '../operations/names.ts';
import type { LedgerTables } from '../operations/tables.ts';
import type { Flavour, RunStatement } from './flavour.ts';
import { mysql } from './mysql.ts';
import { throughMysql } from './mysql-pool.ts';
import type { SqlPool } from './pool-dialect.ts';
import { dialectOf } from './pool-dialect.ts';
import { postgres } from './postgres.ts';
import { straightTo } from './prepared.ts';
import type { StoreClock } from './store-clock.ts';

/** Options of `sqlLedger`: one of `pool`, `dialect` and `db`, and nothing else is required. */
export interface SqlLedgerOptions extends NameOptions {
  /** Your own pool: `new pg.Pool(…)`, or one of `mysql2`. It is never ended here. */
  readonly pool?: SqlPool;
  /** In its place a dialect of Kysely's over your pool: `new PostgresDialect({ pool })`, `new MysqlDialect({ pool })`. */
  readonly dialect?: Dialect;
  /** A Kysely instance of your own, in place of a dialect. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever tables it knows, ours are others
  readonly db?: KyselyInstance<any>;
  /** `auto`: make and update the tables at the first use. `check`: refuse tables of another version. `off`: neither. Default `check`. */
  readonly migrate?: 'auto' | 'check' | 'off';
  /** What the server promises. Checked at the first use; default `fsync`. */
  readonly durability?: Exclude<Durability, 'process'>;
  /** Longest wait for the first answer, ms. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /**
   * With a `pg.Pool`: let the server plan each statement once per connection. `false` for a PgBouncer that pools transactions and has
   * no `max_prepared_statements`. Default `true`.
   */
  readonly prepare?: boolean;
  /** How long the work of a {@link SqlLedger.transaction} may take, ms: its operation is locked meanwhile. Default 5,000. */
  readonly transactionTimeoutMs?: number;
  /** For tests. Default: the server's own clock, which all processes share. */
  readonly clock?: StoreClock;
}

/** The same, complete. */
export interface OpenSqlLedger {
  /** With the ledger's own names, and without the user's plugins: they would rename what we read. */
  readonly db: KyselyInstance<LedgerTables>;
  /** The same as it was given. */
  readonly owner: KyselyInstance<LedgerTables>;
  readonly flavour: Flavour;
  /** The shortest way for a statement that is a transaction in itself. */
  readonly run: RunStatement;
  readonly durability: Durability;
  readonly migrate: 'auto' | 'check' | 'off';
  readonly connectTimeoutMs: number;
  readonly transactionTimeoutMs: number;
  readonly clock: StoreClock | undefined;
}

/** @throws McpTxError `CONFIG_INVALID` */
export function openWith(options: SqlLedgerOptions): OpenSqlLedger {
  const { durability = 'fsync', migrate = 'check', connectTimeoutMs = 10_000, transactionTimeoutMs = 5_000 } = options;
  const given = [options.pool, options.dialect, options.db].filter((one) => one !== undefined);
  if (given.length !== 1) throw invalid('give one of pool, dialect and db');
  if (!['auto', 'check', 'off'].includes(migrate)) throw invalid("migrate must be 'auto', 'check' or 'off'");
  if (durability !== 'fsync' && durability !== 'async') throw invalid("durability must be 'fsync' or 'async'");
  if (!(connectTimeoutMs > 0)) throw invalid('connectTimeoutMs must be more than 0');
  if (!(transactionTimeoutMs > 0)) throw invalid('transactionTimeoutMs must be more than 0');
  const owner =
    options.db ??
    new Kysely<LedgerTables>({
      dialect: options.dialect ?? dialectOf(options.pool as SqlPool, options.prepare ?? true),
    });
  const times = { connectTimeoutMs, transactionTimeoutMs, clock: options.clock };
  const names = namesOf(options, 'sqlLedger');
  const [db, flavour] = [withNames(owner, names), flavourOf(owner, names)];
  return { db, owner, flavour, run: runOf(options, flavour, db), durability, migrate, ...times };
}

function runOf({ pool, prepare = true }: SqlLedgerOptions, flavour: Flavour, db: OpenSqlLedger['db']): RunStatement {
  const through: RunStatement = async (text, values) => {
    const { rows, numAffectedRows = 0n, insertId } = await db.executeQuery(CompiledQuery.raw(text, [...values]));
    return {
      rows,
      affectedRows: Number(numAffectedRows),
      insertId: insertId === undefined ? undefined : Number(insertId),
    };
  };
  if (pool === undefined) return through;
  if (flavour.name === 'mysql') return throughMysql(pool as MysqlPool);
  return straightTo(pool as PostgresPool, prepare) ?? through;
}

function withNames(owner: KyselyInstance<LedgerTables>, names: Names): KyselyInstance<LedgerTables> {
  const renamed = renaming(names).reduce((db, plugin) => db.withPlugin(plugin), owner.withoutPlugins());
  return names.schema === undefined ? renamed : renamed.withSchema(names.schema);
}

function flavourOf(db: KyselyInstance<LedgerTables>, names: Names): Flavour {
  const { adapter } = db.getExecutor();
  if (adapter instanceof PostgresAdapter) return postgres(names);
  if (adapter instanceof MysqlAdapter) return mysql(names);
  throw invalid('the dialect must be of PostgreSQL or MySQL; for SQLite there is sqliteLedger in @mcp-tx/sql/sqlite');
}

function invalid(what: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `sqlLedger: ${what}`);
}
