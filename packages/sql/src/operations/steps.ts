/**
 * What happens to operations, written once for every database: functions that ask for one statement after the other and are given
 * its answer. A synchronous database runs them in one go, one behind a network between awaits.
 */
import type { OperationRow } from './rows.ts';
import type { StatementName } from './statements.ts';

/** What a statement binds. Booleans are 0 and 1, instants epoch ms. */
export type Bound = string | number | Uint8Array | null;

/** A statement to be run. */
export interface Step {
  readonly statement: StatementName;
  readonly bound: readonly Bound[];
}

/** What came of it. */
export interface StepAnswer {
  readonly rows: readonly unknown[];
  readonly changes: number;
  /** Number of the row that was inserted. */
  readonly id?: number | undefined;
}

/** A piece of work inside one write transaction. */
export type Steps<T> = Generator<Step, T, StepAnswer>;

/** Runs one statement. */
export function* step(statement: StatementName, ...bound: readonly Bound[]): Steps<StepAnswer> {
  return yield { statement, bound };
}

/** The rows that a statement finds. The database below has made rows of them. */
export function* rowsBy(statement: StatementName, ...bound: readonly Bound[]): Steps<readonly OperationRow[]> {
  return (yield { statement, bound }).rows as readonly OperationRow[];
}
