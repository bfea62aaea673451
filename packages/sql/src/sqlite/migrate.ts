/** Brings a ledger file to the layout of this version: numbered steps, each applied once, by one process. */
import type { DatabaseSync } from 'node:sqlite';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Compilable } from 'kysely';
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Names } from '../operations/names.ts';
import { rename } from '../operations/names.ts';
import * as operations from './migrations/0001-operations.ts';

interface Migration {
  readonly name: string;
  up(db: Kysely<unknown>): readonly Compilable[];
}

/** Append only: a migration's number is its place here, from 1. */
const MIGRATIONS: readonly Migration[] = [operations];

const CREATE_MIGRATIONS =
  'create table if not exists mcp_tx_migrations (id integer primary key, name text not null, applied_at integer not null)';

/**
 * Applies what is missing. The caller holds the write lock (`begin immediate`), so that of many processes one does it.
 *
 * @throws McpTxError `LEDGER_VERSION` when the file has seen a migration that this version does not know.
 */
export function migrate(database: DatabaseSync, path: string, names: Names): void {
  const own = (text: string): string => rename(names, text, '"');
  database.exec(own(CREATE_MIGRATIONS));
  const row = database.prepare(own('select max(id) as version from mcp_tx_migrations')).get();
  const version = typeof row?.version === 'number' ? row.version : 0;
  if (version > MIGRATIONS.length) {
    const cure = 'update @mcp-tx/sql in this process, or give it another file';
    throw new McpTxError('LEDGER_VERSION', `The ledger file ${path} was written by a newer version: ${cure}.`);
  }
  const record = database.prepare(own('insert into mcp_tx_migrations (id, name, applied_at) values (?, ?, ?)'));
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < version) continue;
    for (const step of migration.up(compiler)) database.exec(own(step.compile().sql));
    record.run(index + 1, migration.name, Date.now());
  }
}

/** When the file was made a ledger, epoch ms. */
export function createdAt(database: DatabaseSync, names: Names): number {
  const text = rename(names, 'select min(applied_at) as at from mcp_tx_migrations', '"');
  return Number(database.prepare(text).get()?.at);
}

/** Only writes SQL; it is never connected. */
const compiler: Kysely<unknown> = new Kysely({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});
