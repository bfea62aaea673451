/** Results move into the rows of their operations. On MySQL each step may have been done by a process that ended amid them. */
import type { Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';

interface Tables {
  readonly mcp_tx_operations: { readonly id: number; readonly result: string | null };
  readonly mcp_tx_results: { readonly operation: number; readonly result: string };
}

/** MySQL: the column is there. */
const DUPLICATE_COLUMN = 1060;

export async function resultsInRowsOn(db: Kysely<unknown>, kind: 'postgres' | 'mysql'): Promise<void> {
  const long = kind === 'postgres' ? sql`text` : sql`longblob`;
  await addColumn(db, long);
  const gone = db.schema.createTable('mcp_tx_results').ifNotExists();
  await gone.addColumn('operation', 'bigint').addColumn('result', long).execute();
  await move(db as Kysely<Tables>);
  await db.schema.dropTable('mcp_tx_results').execute();
  if (kind === 'postgres') await shortIndex(db);
}

async function addColumn(db: Kysely<unknown>, long: RawBuilder<unknown>): Promise<void> {
  try {
    await db.schema.alterTable('mcp_tx_operations').addColumn('result', long).execute();
  } catch (error) {
    if ((error as { readonly errno?: unknown }).errno !== DUPLICATE_COLUMN) throw error;
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

/** What is under way is in it no longer: every call was, twice written, for a list that is seldom asked for. */
async function shortIndex(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('mcp_tx_in_doubt').execute();
  await db.schema
    .createIndex('mcp_tx_in_doubt')
    .on('mcp_tx_operations')
    .column('id')
    .where(sql<boolean>`state = 'in_doubt'`)
    .execute();
}
