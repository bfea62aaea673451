/** Owns the cutting of a byte stream into lines; only `\n` ends one, because JSON text may hold every other separator. */

const NEWLINE = 0x0a;

/**
 * Calls `onLine` with every whole line, newline included and bytes untouched. Returns the function to be fed with chunks.
 */
export function createLineSplitter(onLine: (line: Buffer) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, end + 1));
      from = end + 1;
      const line = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
      parts = [];
      onLine(line);
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  };
}
