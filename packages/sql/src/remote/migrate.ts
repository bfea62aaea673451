/** Brings the tables of a database server to the layout of this version: numbered steps, each applied once, by one process. */
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Kysely } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { Names } from '../operations/names.ts';
import type { LedgerTables } from '../operations/tables.ts';
import { operationsOn } from './migrations/0001-operations.ts';
import { fewerWritesOn } from './migrations/0002-fewer-writes.ts';

/** Append only: a migration's number is its place here, from 1. */
const MIGRATIONS: readonly {
  readonly name: string;
  up(db: Kysely<unknown>, kind: Kind, names: Names): Promise<void>;
}[] = [
  { name: 'operations', up: operationsOn },
  { name: 'fewer writes', up: fewerWritesOn },
];

type Kind = 'postgres' | 'mysql';

/** Any number that nobody else takes; the first 8 bytes of SHA-256 of "mcp-tx migrations", cut to what a bigint holds. */
const POSTGRES_LOCK = '4051937288136914562';
const MYSQL_LOCK = 'mcp_tx_migrations';
const LOCK_TIMEOUT_S = 60;

/** `now` reads the server's clock as `ms`. In one transaction: PostgreSQL undoes even tables. */
export async function migratePostgres(db: Kysely<LedgerTables>, names: Names, now: string): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(POSTGRES_LOCK)}::bigint)`.execute(transaction);
    await applyMissing(transaction, names, 'postgres', now);
  });
}

/** Under a lock of the connection's: MySQL commits each table for itself. */
export async function migrateMysql(db: Kysely<LedgerTables>, names: Names, now: string): Promise<void> {
  await db.connection().execute(async (connection) => {
    const lock = sql`select get_lock(${sql.lit(MYSQL_LOCK)}, ${sql.lit(LOCK_TIMEOUT_S)}) as got`;
    const { rows } = await lock.execute(connection);
    if (Number((rows[0] as { readonly got: unknown } | undefined)?.got) !== 1)
      throw new McpTxError('LEDGER_UNAVAILABLE', 'Another process holds the lock for migrations; is it stuck?');
    try {
      await applyMissing(connection, names, 'mysql', now);
    } finally {
      await sql`select release_lock(${sql.lit(MYSQL_LOCK)})`.execute(connection);
    }
  });
}

/**
 * The number of the last migration that the tables have seen; 0 without tables.
 *
 * @throws McpTxError `LEDGER_VERSION` when it is one that this version does not know
 */
export async function versionOf(db: Kysely<LedgerTables>): Promise<number> {
  const rows = await db
    .selectFrom('mcp_tx_migrations')
    .select((of) => of.fn.max('id').as('version'))
    .execute();
  const version = Number(rows[0]?.version ?? 0);
  if (version <= MIGRATIONS.length) return version;
  throw new McpTxError('LEDGER_VERSION', 'The ledger’s tables were made by a newer version: update @mcp-tx/sql here.');
}

/** @throws McpTxError `LEDGER_VERSION` when a migration is missing */
export function requireLatest(version: number): void {
  if (version === MIGRATIONS.length) return;
  const message = `The ledger’s tables are of version ${version}, not ${MIGRATIONS.length}: open it with migrate: 'auto' once.`;
  throw new McpTxError('LEDGER_VERSION', message);
}

/** When the tables were made, epoch ms. */
export async function createdAt(db: Kysely<LedgerTables>): Promise<number | undefined> {
  const rows = await db
    .selectFrom('mcp_tx_migrations')
    .select((of) => of.fn.min('applied_at').as('at'))
    .execute();
  const at = rows[0]?.at ?? undefined;
  return at === undefined ? undefined : Number(at);
}

async function applyMissing(db: Kysely<LedgerTables>, names: Names, kind: Kind, now: string): Promise<void> {
  if (names.schema !== undefined) await createSchema(db, names.schema);
  await db.schema
    .createTable('mcp_tx_migrations')
    .ifNotExists()
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'varchar(64)', (column) => column.notNull())
    .addColumn('applied_at', 'bigint', (column) => column.notNull())
    .execute();
  const version = await versionOf(db);
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < version) continue;
    await migration.up(db as unknown as Kysely<unknown>, kind, names);
    const { rows } = await db.executeQuery<{ readonly ms: unknown }>(CompiledQuery.raw(now));
    const row = { id: index + 1, name: migration.name, applied_at: Number(rows[0]?.ms) };
    await db.insertInto('mcp_tx_migrations').values(row).execute();
  }
}

/** Asked before, because "if not exists" needs a right that a user of an existing one may not have. */
async function createSchema(db: Kysely<LedgerTables>, name: string): Promise<void> {
  const { rows } = await sql`select 1 from information_schema.schemata where schema_name = ${name}`.execute(db);
  if (rows.length === 0) await db.schema.createSchema(name).ifNotExists().execute();
}
