// A folder for one test's database files, and the file seen without the ledger.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { fromBase32 } from '@mcp-tx/core/ledger';
import type { RawRecord } from '@mcp-tx/testing/ledger-contract';

export interface TemporaryFolder {
  /** Path of `name` in it. */
  at(name: string): string;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-tx-sql-'));
  return {
    at: (name) => join(folder, name),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Looks an operation up with statements of its own. */
export function rawRecord(database: DatabaseSync, operationId: string): RawRecord | undefined {
  const row = database
    .prepare('select * from mcp_tx_operations left join mcp_tx_results on operation = id where operation_key = ?')
    .get(fromBase32(operationId.slice(3)) ?? '');
  if (row === undefined || row.tombstone === 1) return undefined;
  return {
    state: String(row.state),
    fence: Number(row.fence),
    attempts: Number(row.attempts),
    result: textOf(row.result),
  };
}

/** A text with NUL in it is stored as bytes. */
function textOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'string' ? value : undefined;
}
