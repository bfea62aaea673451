/** What goes once its time is over. Runs inside a write transaction. */
import type { OperationRow } from './rows.ts';
import { ROWS_AT_ONCE } from './statements.ts';
import type { Steps } from './steps.ts';
import { rowsBy, step } from './steps.ts';

/** Removes up to `limit` entries that were over at `before`; returns how many. */
export function* purge(before: number, limit: number): Steps<number> {
  const rows = yield* rowsBy('expired', before, limit);
  yield* bury(rows.filter(leavesTombstone));
  yield* forget(rows.filter((row) => !leavesTombstone(row)));
  return rows.length;
}

/** Removes operations without a trace. */
export function* forget(rows: readonly Pick<OperationRow, 'id' | 'operation_key'>[]): Steps<void> {
  for (const some of handfuls(rows)) {
    const ids = some.map(({ id }) => id);
    yield* step('removeResults', ...ids);
    yield* step('removeAudits', ...some.map(({ operation_key }) => operation_key));
    yield* step('remove', ...ids);
  }
}

/** Of a call with a key stays that it was made. */
function leavesTombstone(row: OperationRow): boolean {
  return row.tombstone === 0 && row.idempotency_key !== null && row.state !== 'claimed';
}

function* bury(rows: readonly OperationRow[]): Steps<void> {
  for (const some of handfuls(rows)) {
    const ids = some.map(({ id }) => id);
    yield* step('bury', ...ids);
    yield* step('removeResults', ...ids);
  }
}

/** As many as a statement names; the last one stands in for those that are missing. */
function handfuls<Row>(rows: readonly Row[]): readonly (readonly Row[])[] {
  const filled: Row[][] = [];
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const some = rows.slice(from, from + ROWS_AT_ONCE);
    const last = some.at(-1) as Row;
    filled.push(Array.from({ length: ROWS_AT_ONCE }, (_, n) => some[n] ?? last));
  }
  return filled;
}
