/** How a database's own values become rows and texts, and back: what it cannot hold as it is, it holds otherwise. */
import type { OperationRow } from './rows.ts';

/** One per database. */
export interface Codec {
  /** Whether results have a table of their own, or stand in the rows of operations. */
  readonly results: 'apart' | 'in rows';
  /** A row as the driver gave it. */
  toRow(found: unknown): OperationRow;
  /** What to compare a text column with. */
  toColumn(text: string): string | Uint8Array;
  /** The text of a text column. */
  toText(column: unknown): string;
  /** A count, or any other number. */
  toNumber(column: unknown): number;
}
