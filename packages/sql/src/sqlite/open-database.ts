/** Opens a ledger file: settings, lock, migrations, and errors that say what is wrong with the path. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Names } from '../operations/names.ts';
import { migrate } from './migrate.ts';
import { isBusy, toLedgerError } from './sqlite-errors.ts';

/** The one path that is no file. */
export const IN_MEMORY = ':memory:';

/** How long one call may block the process on another one's lock, ms. Longer waits are asynchronous. */
const BLOCKING_BUSY_MS = 25;
/** Pause between two tries to open a file that others are opening too, ms. */
const OPEN_PAUSE_MS = 10;

const SETTINGS = [
  `pragma busy_timeout = ${BLOCKING_BUSY_MS}`,
  'pragma synchronous = full', // with WAL: every commit is synced before it is acknowledged
  'pragma cache_size = -16384', // KiB: the inner pages of the key's index stay in memory
  'pragma journal_size_limit = 67108864', // bytes: the log shrinks again after a burst
];

/**
 * Opens `path` and brings it up to date. Blocks, for at most `busyTimeoutMs`, while other processes do the same.
 *
 * @throws McpTxError `CONFIG_INVALID`, `LEDGER_UNAVAILABLE`, `LEDGER_CORRUPT`, `LEDGER_VERSION`
 */
export function openDatabase(path: string, busyTimeoutMs: number, names: Names): DatabaseSync {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new McpTxError('CONFIG_INVALID', 'sqliteLedger: path must be the name of a file, or ":memory:".');
  }
  if (path !== IN_MEMORY) requireFilePath(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    prepareDatabase(database, path, names, performance.now() + busyTimeoutMs);
    return database;
  } catch (error) {
    database?.close();
    throw toLedgerError(error, path);
  }
}

/** Opens the same file once more, for one transaction. Everything lasting is set already. */
export function openForWriting(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(`pragma busy_timeout = ${BLOCKING_BUSY_MS}; pragma synchronous = full`);
  return database;
}

/** Opens the same file for looking only. */
export function openForReading(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    database.exec(`pragma busy_timeout = ${BLOCKING_BUSY_MS}`);
    return database;
  } catch (error) {
    throw toLedgerError(error, path);
  }
}

function prepareDatabase(database: DatabaseSync, path: string, names: Names, deadline: number): void {
  // Each may have to wait: whoever opens the file first after a crash holds it until its log is read again.
  for (const setting of SETTINGS) untilFree(deadline, () => database.exec(setting));
  const mode = untilFree(deadline, () => database.prepare('pragma journal_mode = wal').get()?.journal_mode);
  if (mode !== 'wal' && path !== IN_MEMORY) {
    const why = 'it cannot have a write-ahead log there; put it on a local disk, not on a network share';
    throw new McpTxError('LEDGER_UNAVAILABLE', `The ledger file ${path}: ${why}.`);
  }
  untilFree(deadline, () => {
    database.exec('begin immediate'); // also finds out whether the file can be written at all
    try {
      migrate(database, path, names);
      database.exec('commit');
    } catch (error) {
      database.exec('rollback');
      throw error;
    }
  });
}

/** Repeats `act` while another process holds the lock. Opening happens once, so it may block. */
function untilFree<T>(deadline: number, act: () => T): T {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_PAUSE_MS * (0.5 + Math.random()));
    }
  }
}

/** SQLite says "unable to open" to all of these. */
function requireFilePath(path: string): void {
  const refuse = (why: string): never => {
    throw new McpTxError('LEDGER_UNAVAILABLE', `The ledger file ${path}: ${why}.`);
  };
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) refuse('it is a folder; name a file in it');
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  if (folder === undefined) refuse(`the folder ${dirname(path)} does not exist; create it first`);
}
