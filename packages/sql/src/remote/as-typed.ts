/** Gives readers of the tables what the types say, whatever the driver makes of it: numbers, texts, bytes. */
import type { KyselyPlugin, UnknownRow } from 'kysely';
import { BYTES, NUMBERS } from './flavour.ts';

/** Columns are known by their names: one that a query calls otherwise comes as the driver gives it. */
export function asTyped(toText: (column: unknown) => string): KyselyPlugin {
  const asSaid = (column: string, value: unknown): unknown => {
    if (value === null || BYTES.includes(column)) return value;
    if (NUMBERS.includes(column)) return Number(value);
    return typeof value === 'string' || value instanceof Uint8Array ? toText(value) : value;
  };
  const rowOf = (row: UnknownRow): UnknownRow =>
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, asSaid(column, value)]));
  return {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => ({ ...result, rows: result.rows.map(rowOf) }),
  };
}
