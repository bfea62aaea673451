/** Keeps NUL in texts: `node:sqlite` of Node 22 cuts what it reads there, so such a text is stored as bytes. */

/** What to bind for `text`. */
export function toColumn(text: string): string | Uint8Array;
export function toColumn(text: string | null | undefined): string | Uint8Array | null;
export function toColumn(text: string | null | undefined): string | Uint8Array | null {
  if (text === undefined || text === null) return null;
  return text.includes('\0') ? Buffer.from(text) : text;
}

/** The text that was bound. Anything else is passed on as it is. */
export function fromColumn<T>(value: T): T | string {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString() : value;
}
