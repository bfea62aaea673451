/** How PostgreSQL's values become rows and texts, and back. */
import type { Codec } from '../operations/codec.ts';
import { rowOf } from './flavour.ts';

/** PostgreSQL's text cannot hold NUL: it stands there as two characters of the private use area, and so does the first of them. */
const ESCAPE = '\u{E000}';

/** The codec. */
export const postgresCodec: Codec = {
  results: 'in rows',
  toRow: (found) => rowOf(found, toText),
  toColumn: (text) => (text.includes('\0') || text.includes(ESCAPE) ? escaped(text) : text),
  toText,
  toNumber: Number,
};

function escaped(text: string): string {
  return text.replaceAll(ESCAPE, `${ESCAPE}1`).replaceAll('\0', `${ESCAPE}0`);
}

function toText(column: unknown): string {
  const text = String(column);
  if (!text.includes(ESCAPE)) return text;
  return text.replaceAll(/\u{E000}([01])/gu, (_, kind) => (kind === '0' ? '\0' : ESCAPE));
}
