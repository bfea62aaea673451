/** Runs a tool's own writes and the end of its operation in one transaction, on a handle that lives no longer than that. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import * as sqlite from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Lease, Outcome } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Names } from '../operations/names.ts';
import * as transitions from '../operations/transitions.ts';
import { openForWriting } from './open-database.ts';
import { isBusy, toLedgerError } from './sqlite-errors.ts';
import { prepareWhenUsed, runSteps } from './statements.ts';

/** What a tool writes with: the ledger's own file, inside a transaction that is not the tool's to end. Dead after it. */
export interface SqliteTransaction {
  /** Prepares one statement of `node:sqlite`. */
  prepare(sql: string): StatementSync;
  /** Runs statements that return nothing. */
  exec(sql: string): void;
}

/** Where and how long. */
export interface TransactionKit {
  readonly path: string;
  readonly names: Names;
  /** How long to wait for another process's lock, ms. */
  readonly busyTimeoutMs: number;
  /** How long a tool may keep all others from writing, ms. */
  readonly timeLimitMs: number;
  readonly clock: Pick<Clock, 'now'>;
}

const WORK = 'mcp_tx_work';
/** Bounds of the wait between two tries for the lock, ms. */
const MIN_WAIT_MS = 2;
const MAX_WAIT_MS = 50;

/** See `TransactionalLedger.transaction`. What `work` throws is passed on as it is, SQLite's own errors included. */
export async function runTransaction(
  kit: TransactionKit,
  lease: Lease,
  work: (db: SqliteTransaction) => Promise<Outcome>,
): Promise<boolean> {
  const { path, clock } = kit;
  const database = inOurWords(path, () => openForWriting(path));
  try {
    const sql = prepareWhenUsed(database, kit.names);
    await beginWhenFree(database, kit);
    if (!inOurWords(path, () => runSteps(sql, transitions.begin(lease, clock.now())))) return false;
    const outcome = await workWithin(database, kit.timeLimitMs, work);
    return inOurWords(path, () => {
      if (!runSteps(sql, transitions.settle(lease, outcome, clock.now()))) return false;
      database.exec('commit');
      return true;
    });
  } finally {
    database.close(); // rolls back what is not committed
  }
}

function inOurWords<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw toLedgerError(error, path);
  }
}

async function beginWhenFree(database: DatabaseSync, { path, busyTimeoutMs }: TransactionKit): Promise<void> {
  const giveUpAt = performance.now() + busyTimeoutMs;
  for (let tries = 1; ; tries += 1) {
    try {
      database.exec('begin immediate');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= giveUpAt) throw toLedgerError(error, path);
    }
    await sleep(Math.min(MAX_WAIT_MS, MIN_WAIT_MS * 2 ** tries) * Math.random());
  }
}

async function workWithin(
  database: DatabaseSync,
  limitMs: number,
  work: (db: SqliteTransaction) => Promise<Outcome>,
): Promise<Outcome> {
  const late = new AbortController();
  const tooLate = sleep(limitMs, undefined, { signal: late.signal }).then(() => {
    const message = `The transaction took longer than ${limitMs} ms and was rolled back: nobody else could write meanwhile.`;
    throw new McpTxError('DEADLINE_EXCEEDED', message);
  });
  database.exec(`savepoint ${WORK}`);
  forbidEnding(database);
  try {
    const outcome = await Promise.race([work(toolView(database)), tooLate]);
    allowAll(database);
    requireUnended(database);
    return outcome;
  } finally {
    late.abort();
    tooLate.catch(() => undefined);
  }
}

function toolView(database: DatabaseSync): SqliteTransaction {
  return {
    prepare: (text) => database.prepare(text),
    exec: (text) => database.exec(text),
  };
}

/** A tool that ended the transaction would take its effect away from the record. Node 22 cannot forbid it, only notice. */
function forbidEnding(database: DatabaseSync): void {
  const {
    SQLITE_DENY = 1,
    SQLITE_OK = 0,
    SQLITE_TRANSACTION = 22,
  } = sqlite.constants as Readonly<Record<string, number>>;
  authorizerOf(database)?.((action) => (action === SQLITE_TRANSACTION ? SQLITE_DENY : SQLITE_OK));
}

function allowAll(database: DatabaseSync): void {
  authorizerOf(database)?.(null);
}

type SetAuthorizer = (authorizer: ((action: number) => number) | null) => void;

function authorizerOf(database: DatabaseSync): SetAuthorizer | undefined {
  const { setAuthorizer } = database as { readonly setAuthorizer?: SetAuthorizer };
  return setAuthorizer?.bind(database);
}

function requireUnended(database: DatabaseSync): void {
  try {
    database.exec(`release ${WORK}`);
  } catch (cause) {
    const message =
      'The transaction was over before its work was: was it ended by the tool, or an error of SQLite ignored?';
    throw new McpTxError('INTERNAL', message, { cause, execution: 'unknown' });
  }
}
