/** Runs steps on a database behind awaits, one statement after the other. */
import type { Kysely, QueryResult } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { Codec } from './codec.ts';
import type { OperationRow } from './rows.ts';
import type { StatementName } from './statements.ts';
import { READS } from './statements.ts';
import type { Bound, Step, StepAnswer, Steps } from './steps.ts';
import type { LedgerTables } from './tables.ts';

/** What runs a statement. */
export type Executor = Pick<Kysely<LedgerTables>, 'executeQuery'>;

/** How a kind of database is spoken to. */
export interface Speech {
  readonly codec: Codec;
  /** A statement in its words, with its placeholders. `locking`: the rows that it finds stay as they are until the commit. */
  text(statement: StatementName, locking: boolean): string;
  /** What the driver is given for a value. */
  bind(statement: StatementName, bound: readonly Bound[]): readonly unknown[];
}

/** Runs steps to their end, one statement after the other. `locking`: what is read stays as it is until the commit. */
export async function runSteps<T>(db: Executor, speech: Speech, steps: Steps<T>, locking: boolean): Promise<T> {
  let next = steps.next(NOTHING);
  while (next.done !== true) next = steps.next(await answer(db, speech, next.value, locking));
  return next.value;
}

const NOTHING: StepAnswer = { rows: [], changes: 0 };

async function answer(db: Executor, speech: Speech, { statement, bound }: Step, locking: boolean): Promise<StepAnswer> {
  const isRead = READS.has(statement);
  if (statement === 'removeResults' && speech.codec.results === 'in rows') return NOTHING; // they go with their rows
  const values = [...speech.bind(statement, bound)];
  const query = CompiledQuery.raw(speech.text(statement, isRead && locking), values);
  const result = await db.executeQuery<unknown>(query);
  return isRead ? { rows: result.rows.map(speech.codec.toRow), changes: 0 } : written(result);
}

function written({ rows, numAffectedRows, insertId }: QueryResult<unknown>): StepAnswer {
  const id = (rows[0] as Partial<OperationRow> | undefined)?.id ?? insertId;
  return { rows: [], changes: Number(numAffectedRows ?? 0n), id: id === undefined ? undefined : Number(id) };
}
