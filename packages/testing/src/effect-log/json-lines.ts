/** Owns the one way this package keeps facts that must outlive a `kill -9`: JSON lines, appended and fsynced one by one. */
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** An append-only file of JSON records. */
export interface JsonLines<T> extends Disposable {
  /** Writes one record and returns only after it is on the disk. */
  append(record: T): void;
  close(): void;
}

const NEWLINE = 0x0a;

/**
 * Opens a file of JSON lines for appending; several processes may append to the same file. A last line that a dying
 * process left torn is closed off, so that it can never swallow the next record.
 */
export function openJsonLines<T>(path: string): JsonLines<T> {
  const file = openSync(path, 'a+');
  if (endsTorn(file)) writeSync(file, '\n');
  let open = true;
  const close = (): void => {
    if (open) closeSync(file);
    open = false;
  };
  return {
    append(record) {
      writeSync(file, `${JSON.stringify(record)}\n`);
      fsyncSync(file);
    },
    close,
    [Symbol.dispose]: close,
  };
}

/**
 * Reads every whole record; a file that does not exist has none. A torn line (no closing brace) never became durable and
 * is skipped; any other line that is not JSON is damage and throws.
 */
export function readJsonLines<T>(path: string): readonly T[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as T];
    } catch (cause) {
      if (!line.endsWith('}') || index === lines.length - 1) return [];
      throw new Error(`${path}:${index + 1} is not a JSON record`, { cause });
    }
  });
}

function endsTorn(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}
