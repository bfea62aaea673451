/**
 * A call writes less: its result stands in its row; one index tells what is due, be it a lease or an expiry; on PostgreSQL one more
 * holds what people look for, and nothing of a call that went well. On MySQL a process may have ended amid these steps.
 */
import type { Kysely } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { Names } from '../../operations/names.ts';
import { rename } from '../../operations/names.ts';

interface Tables {
  readonly mcp_tx_operations: { readonly id: number; readonly result: string | null };
  readonly mcp_tx_results: { readonly operation: number; readonly result: string };
}

/** MySQL: the column is there, the index is there, it is gone. */
const DONE: readonly unknown[] = [1060, 1061, 1091];

interface Of {
  readonly kind: 'postgres' | 'mysql';
  readonly names: Names;
}

export async function fewerWritesOn(db: Kysely<unknown>, kind: 'postgres' | 'mysql', names: Names): Promise<void> {
  const of = { kind, names };
  const long = kind === 'postgres' ? sql`text` : sql`longblob`;
  await unlessDone(db.schema.alterTable('mcp_tx_operations').addColumn('result', long));
  const gone = db.schema.createTable('mcp_tx_results').ifNotExists();
  await gone.addColumn('operation', 'bigint').addColumn('result', long).execute();
  await move(db as Kysely<Tables>);
  await db.schema.dropTable('mcp_tx_results').execute();
  await dropIndex(db, of, 'mcp_tx_leases');
  await dropIndex(db, of, 'mcp_tx_expiry');
  const index = (name: string) => db.schema.createIndex(name).on('mcp_tx_operations');
  await unlessDone(index('mcp_tx_due').columns(['lease_until', 'expires_at']));
  if (kind === 'mysql') return;
  await dropIndex(db, of, 'mcp_tx_in_doubt');
  await dropIndex(db, of, 'mcp_tx_contradicted');
  const forPeople = sql<boolean>`state = 'in_doubt' or contradicted = 1`;
  await index('mcp_tx_attention').column('id').where(forPeople).execute();
}

function dropIndex(db: Kysely<unknown>, { kind, names }: Of, name: string): Promise<void> {
  if (kind === 'postgres') return unlessDone(db.schema.dropIndex(name));
  const text = rename(names, `drop index ${name} on mcp_tx_operations`, '`'); // Kysely puts the schema before the index
  return unlessDone({ execute: () => db.executeQuery(CompiledQuery.raw(text)) });
}

async function unlessDone(step: { execute(): Promise<unknown> }): Promise<void> {
  try {
    await step.execute();
  } catch (error) {
    if (!DONE.includes((error as { readonly errno?: unknown }).errno)) throw error;
  }
}

async function move(db: Kysely<Tables>): Promise<void> {
  await db
    .updateTable('mcp_tx_operations')
    .set((of) => ({
      result: of
        .selectFrom('mcp_tx_results')
        .select('mcp_tx_results.result')
        .whereRef('mcp_tx_results.operation', '=', 'mcp_tx_operations.id'),
    }))
    .where('id', 'in', (of) => of.selectFrom('mcp_tx_results').select('operation'))
    .execute();
}
