/** The statements on a handle of SQLite, prepared once, and the steps that use them, run in one go. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Codec } from '../operations/codec.ts';
import type { Names } from '../operations/names.ts';
import { rename } from '../operations/names.ts';
import type { OperationRow } from '../operations/rows.ts';
import type { StatementName } from '../operations/statements.ts';
import { COLUMNS, READS, SQL } from '../operations/statements.ts';
import type { Bound, Step, StepAnswer, Steps } from '../operations/steps.ts';
import { fromColumn, toColumn } from './text-column.ts';

/** Columns that hold bytes of their own accord. */
const BINARY: readonly (keyof OperationRow)[] = ['operation_key', 'digest'];
/** The statements by name. */
export type Statements = Readonly<Record<StatementName, StatementSync>>;

/** What finds whole rows. */
const WHOLE: ReadonlySet<StatementName> = new Set(['byKey', 'byId', 'runOut', 'runOutOf']);

export function prepareStatements(database: DatabaseSync, names: Names): Statements {
  const entries = Object.entries(SQL).map(
    ([name, text]) => [name, database.prepare(rename(names, text, '"'))] as const,
  );
  const statements = Object.fromEntries(entries) as Statements;
  if ('setReturnArrays' in statements.byKey) statements.byKey.setReturnArrays(true);
  return statements;
}

/** The same for a handle that will need few of them. */
export function prepareWhenUsed(database: DatabaseSync, names: Names): Statements {
  const statements: Partial<Record<StatementName, StatementSync>> = {};
  for (const [name, text] of Object.entries(SQL) as [StatementName, string][]) {
    let prepared: StatementSync | undefined;
    Object.defineProperty(statements, name, {
      get: () => {
        prepared ??= database.prepare(rename(names, text, '"'));
        return prepared;
      },
    });
  }
  return statements as Statements;
}

/** Runs steps to their end, with no turn of the event loop between them. */
export function runSteps<T>(sql: Statements, steps: Steps<T>): T {
  let next = steps.next(NOTHING);
  while (next.done !== true) next = steps.next(answer(sql, next.value));
  return next.value;
}

/** The operation with this key, tombstone or not. */
export function rowByKey(sql: Statements, key: Uint8Array): OperationRow | undefined {
  const found = sql.byKey.get(key) as unknown;
  return found === undefined ? undefined : toRow(found);
}

const NOTHING: StepAnswer = { rows: [], changes: 0 };

function answer(sql: Statements, { statement, bound }: Step): StepAnswer {
  const values = bound.map(toBound);
  if (READS.has(statement)) {
    const rows = sql[statement].all(...values) as unknown[];
    return { rows: WHOLE.has(statement) ? rows.map(toRow) : rows, changes: 0 };
  }
  const { changes, lastInsertRowid } = sql[statement].run(...values);
  return { rows: [], changes: Number(changes), id: Number(lastInsertRowid) };
}

function toBound(value: Bound): Exclude<Bound, string> | string | Uint8Array {
  return typeof value === 'string' ? toColumn(value) : value;
}

/** A row of {@link ROW}, which is an array where Node can give one: that takes half the time of an object. */
function toRow(found: unknown): OperationRow {
  const isArray = Array.isArray(found);
  const row: Partial<Record<keyof OperationRow, unknown>> = {};
  for (let i = 0; i < COLUMNS.length; i += 1) {
    const column = COLUMNS[i] as keyof OperationRow;
    const value: unknown = isArray ? found[i] : (found as OperationRow)[column];
    row[column] = value instanceof Uint8Array && !BINARY.includes(column) ? fromColumn(value) : value;
  }
  return row as OperationRow;
}

export const sqliteCodec: Codec = {
  results: 'apart',
  toRow,
  toColumn,
  toText: (column) => fromColumn(column) as string,
  toNumber: Number,
};
