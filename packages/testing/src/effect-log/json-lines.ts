/** Owns the one way this package keeps facts that must outlive a `kill -9`: JSON lines, appended and fsynced one by one. */
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

/** An append-only file of JSON records. */
export interface JsonLines<T> extends Disposable {
  /** Writes one record and returns only after it is on the disk. */
  append(record: T): void;
  /** Writes one record that outlives this process, but not a power failure: for what is written often. */
  appendQuickly(record: T): void;
  close(): void;
}

const NEWLINE = 0x0a;
const TORN = '#torn';

/**
 * Opens a file of JSON lines for appending; several processes may append to the same file. A last line that a dying
 * process left torn is marked and closed off, so that it can never swallow the next record.
 */
export function openJsonLines<T>(path: string): JsonLines<T> {
  const file = openSync(path, 'a+');
  if (endsTorn(file)) writeSync(file, `${TORN}\n`);
  let open = true;
  const appendQuickly = (record: T): void => {
    writeSync(file, `${JSON.stringify(record)}\n`);
  };
  const close = (): void => {
    if (open) closeSync(file);
    open = false;
  };
  return {
    append(record) {
      appendQuickly(record);
      fsyncSync(file);
    },
    appendQuickly,
    close,
    [Symbol.dispose]: close,
  };
}

/**
 * Reads every whole record; a file that does not exist has none. A torn line never became durable and is skipped.
 *
 * @throws Error when any other line is not JSON.
 */
export function readJsonLines<T>(path: string): readonly T[] {
  return followJsonLines<T>(path)();
}

/** Returns a function that gives all records so far; it reads only what was added since it was last called. */
export function followJsonLines<T>(path: string): () => readonly T[] {
  const records: T[] = [];
  let offset = 0;
  return () => {
    const added = readFrom(path, offset);
    const whole = added.subarray(0, added.lastIndexOf(NEWLINE) + 1);
    offset += whole.length;
    for (const line of whole.toString('utf8').split('\n')) {
      if (line !== '' && !line.endsWith(TORN)) records.push(parseRecord(path, line));
    }
    return [...records];
  };
}

function parseRecord<T>(path: string, line: string): T {
  try {
    return JSON.parse(line) as T;
  } catch (cause) {
    throw new Error(`${path} holds a line that is not a JSON record: ${line.slice(0, 80)}`, { cause });
  }
}

function readFrom(path: string, offset: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0);
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.max(0, fstatSync(file).size - offset));
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, offset));
  } finally {
    closeSync(file);
  }
}

function endsTorn(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}
