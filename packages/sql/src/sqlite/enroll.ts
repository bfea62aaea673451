/** Writes an intent through a user's own transaction on the ledger's file: a handle of node:sqlite, or Kysely. */
import type { DatabaseSync } from 'node:sqlite';
import type { Enrollment, EnrollRequest } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Kysely } from 'kysely';
import { keyOfClaim } from '../operations/claim.ts';
import { enrollKnown, enrollNew } from '../operations/enroll.ts';
import type { Names } from '../operations/names.ts';
import { rename } from '../operations/names.ts';
import type { Speech } from '../operations/run-steps.ts';
import { runSteps as runStepsAsync } from '../operations/run-steps.ts';
import { SQL } from '../operations/statements.ts';
import type { Steps } from '../operations/steps.ts';
import type { LedgerTables } from '../operations/tables.ts';
import { prepareWhenUsed, runSteps, sqliteCodec } from './statements.ts';
import { toColumn } from './text-column.ts';
import type { TransactionKit } from './transaction.ts';

/** A transaction of your own, begun on the ledger's file: a handle of `node:sqlite`, or a transaction of Kysely's. */
export type OwnSqliteTransaction =
  | Pick<DatabaseSync, 'prepare' | 'exec'>
  | { readonly isTransaction: boolean; getExecutor(): unknown };

/** @throws McpTxError `CALL_INVALID`; what the driver throws */
export async function enrollThrough(
  transaction: OwnSqliteTransaction,
  { names, clock }: Pick<TransactionKit, 'names' | 'clock'>,
  request: EnrollRequest,
): Promise<Enrollment> {
  const key = keyOfClaim(request);
  const run = runnerOf(transaction, names);
  const now = clock.now();
  return (await run(enrollNew(request, key, now))) ?? run(enrollKnown(request, key, now));
}

type Run = <T>(steps: Steps<T>) => T | Promise<T>;

function runnerOf(transaction: OwnSqliteTransaction, names: Names): Run {
  const shape = (transaction ?? {}) as {
    readonly isTransaction?: boolean;
    readonly getExecutor?: unknown;
    readonly prepare?: unknown;
  };
  if (shape.isTransaction === false) throw noTransaction('nothing was begun on this handle'); // Node 22.13 cannot tell
  if (typeof shape.getExecutor === 'function') {
    const own = (transaction as unknown as Kysely<LedgerTables>).withoutPlugins();
    return (steps) => runStepsAsync(own, speechOf(names), steps, false);
  }
  if (typeof shape.prepare !== 'function')
    throw noTransaction(
      'give a handle of node:sqlite on which you have begun a transaction, or a transaction of Kysely’s',
    );
  const statements = prepareWhenUsed(transaction as DatabaseSync, names);
  return (steps) => runSteps(statements, steps);
}

function speechOf(names: Names): Speech {
  return {
    codec: sqliteCodec,
    text: (statement) => rename(names, SQL[statement], '"'),
    bind: (_statement, bound) => bound.map((value) => (typeof value === 'string' ? toColumn(value) : value)),
  };
}

function noTransaction(what: string): McpTxError {
  return new McpTxError('CALL_INVALID', `enroll: ${what}`);
}
