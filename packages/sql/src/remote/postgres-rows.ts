/** Gives many rows to a statement of PostgreSQL as arrays, one for each column, or as one value where it stands for all. */

/** How many rows a statement is for. `alike`: several that differ in no column of {@link SHARED}, as calls of one kind do. */
export type RowKind = 'one' | 'alike' | 'many';

const SHARED: readonly string[] = [
  ...['scope', 'server_name', 'state', 'mode', 'attempts', 'attempt_limit', 'settle_window_ms', 'retention_ms'],
  ...['lease_ms', 'deadline_ms', 'held_fence', 'new_state', 'new_outcome'],
];

/** Rows as a statement finds them. */
export interface Given {
  readonly kind: RowKind;
  /** Where a column's value stands: in a row, or in the statement itself. */
  at(name: string): string;
  /** What is read `from`; nothing for a single row, which the server plans in half the time. */
  readonly source: readonly string[];
}

/** `described`: columns with their types. `first`: number of the parameter of the first one. */
export function givenRows(described: readonly string[], kind: RowKind, first: number): Given {
  const columns = described.map((column, index) => {
    const [name, type] = column.split(' ') as [string, string];
    return { name, type, parameter: `$${first + index}`, inRows: isInRows(kind, name) };
  });
  const at = (name: string): string => {
    const column = columns.find((one) => one.name === name) as (typeof columns)[number];
    return column.inRows ? name : `${column.parameter}::${column.type}`;
  };
  const arrays = columns.filter(({ inRows }) => inRows);
  // Their lengths are hidden from the planner by a select each: it would make a plan for each length that is below its guess of ten,
  // each time, and a plan takes longer than all the rest.
  const unnested = arrays.map(({ parameter, type }) => `(select ${parameter}::${type}[])`).join(', ');
  const source = kind === 'one' ? [] : [`unnest(${unnested}) as given (${arrays.map(({ name }) => name).join(', ')})`];
  return { kind, at, source };
}

/** What rows with these columns are. */
export function kindOf(described: readonly string[], rows: readonly (readonly unknown[])[]): RowKind {
  const [first = [], ...others] = rows;
  if (others.length === 0) return 'one';
  const shared = described.map((column) => SHARED.includes(nameOf(column)));
  return others.every((row) => shared.every((is, column) => !is || row[column] === first[column])) ? 'alike' : 'many';
}

/** Their values, as the statement for this kind of rows wants them. */
export function parametersOf(
  described: readonly string[],
  rows: readonly (readonly unknown[])[],
  kind: RowKind,
): readonly unknown[] {
  const [first = []] = rows;
  if (kind === 'one') return first;
  return described.map((column, index) =>
    isInRows(kind, nameOf(column)) ? rows.map((row) => row[index]) : first[index],
  );
}

function isInRows(kind: RowKind, name: string): boolean {
  return kind === 'many' || (kind === 'alike' && !SHARED.includes(name));
}

function nameOf(described: string): string {
  return described.split(' ')[0] as string;
}
