/** Runs a tool's own writes and the end of its operation in one transaction of a database server. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease, Outcome } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import { runSteps } from '../operations/run-steps.ts';
import type { LedgerTables } from '../operations/tables.ts';
import * as transitions from '../operations/transitions.ts';
import type { Flavour } from './flavour.ts';
import type { LentConnection, SqlTransaction } from './lent-connection.ts';
import { lendConnection } from './lent-connection.ts';
import { storeTime, transact } from './session.ts';
import type { StoreClock } from './store-clock.ts';

/** Where and how long. */
export interface TransactionKit {
  /** Without plugins. */
  readonly db: Kysely<LedgerTables>;
  /** The same as the user gave it. */
  readonly owner: Kysely<LedgerTables>;
  readonly flavour: Flavour;
  readonly clock: StoreClock | undefined;
  /** How long a tool may keep its rows locked, ms. */
  readonly timeLimitMs: number;
}

/** `ended`: both are committed; `lost`: nothing is; `threw`: the work did, and nothing is. */
export type TransactionEnd = { readonly kind: 'ended' | 'lost' } | { readonly kind: 'threw'; readonly error: unknown };

type Work = (db: SqlTransaction) => Promise<Outcome>;
type Threw = Extract<TransactionEnd, { kind: 'threw' }>;

const WORK = 'mcp_tx_work';

/** See `TransactionalLedger.transaction`. @throws what the driver throws, and `DEADLINE_EXCEEDED`, `CALL_INVALID`, `INTERNAL` */
export async function runTransaction(kit: TransactionKit, lease: Lease, work: Work): Promise<TransactionEnd> {
  const { db, flavour } = kit;
  const own = new Own(work);
  try {
    await transact(
      db,
      flavour,
      () => !own.hasBegun, // work that was begun is not done twice
      (transaction) => effectAndEnd(kit, transaction, lease, own),
    );
    return { kind: 'ended' };
  } catch (error) {
    if (error === LOST) return { kind: 'lost' };
    if (own.threw !== undefined) return own.threw; // also when the rollback failed: nothing was committed
    throw error;
  }
}

/** Thrown to roll back. */
const LOST: unique symbol = Symbol('the lease was lost');

/** The work, and what became of it. */
class Own {
  readonly #work: Work;
  hasBegun = false;
  threw: Threw | undefined;

  constructor(work: Work) {
    this.#work = work;
  }

  async run(db: SqlTransaction): Promise<Outcome> {
    this.hasBegun = true;
    try {
      return await this.#work(db);
    } catch (error) {
      this.threw = { kind: 'threw', error };
      throw error;
    }
  }
}

async function effectAndEnd(
  kit: TransactionKit,
  transaction: Kysely<LedgerTables>,
  lease: Lease,
  own: Own,
): Promise<void> {
  const { flavour, clock, timeLimitMs, owner } = kit;
  if (flavour.limit !== undefined) await transaction.executeQuery(CompiledQuery.raw(flavour.limit(timeLimitMs)));
  const begunAt = await storeTime(transaction, flavour, clock);
  if (!(await runSteps(transaction, flavour, transitions.begin(lease, begunAt), true))) throw LOST;
  await transaction.executeQuery(CompiledQuery.raw(`savepoint ${WORK}`));
  const lent = lendConnection(transaction, flavour.words, owner);
  const outcome = await workWithin(timeLimitMs, lent, own);
  await requireUnended(transaction, flavour);
  const endedAt = await storeTime(transaction, flavour, clock);
  if (!(await runSteps(transaction, flavour, transitions.settle(lease, outcome, endedAt), true))) throw LOST;
}

async function workWithin(limitMs: number, lent: LentConnection, own: Own): Promise<Outcome> {
  const inTime = new AbortController();
  const tooLate = sleep(limitMs, undefined, { signal: inTime.signal }).then(() => {
    const message = `The transaction took longer than ${limitMs} ms and was rolled back.`;
    throw new McpTxError('DEADLINE_EXCEEDED', message);
  });
  try {
    return await Promise.race([own.run(lent), tooLate]);
  } finally {
    lent.takeBack();
    inTime.abort();
    tooLate.catch(() => undefined);
  }
}

/** A tool that ended the transaction took its effect away from the record: a savepoint of ours would be gone with it. */
async function requireUnended(transaction: Kysely<LedgerTables>, flavour: Flavour): Promise<void> {
  try {
    await transaction.executeQuery(CompiledQuery.raw(`release savepoint ${WORK}`));
  } catch (cause) {
    const why = flavour.whyNoSavepoint(cause);
    if (why === 'failed') {
      const message = 'A statement failed in the transaction and its error was ignored, so that nothing was written.';
      throw new McpTxError('CALL_INVALID', `${message} Let it through, or put a savepoint before it.`, { cause });
    }
    if (why === undefined) throw cause;
    const message =
      'The transaction was over before its work was: was it ended by the tool, or by a change of tables (on MySQL)?';
    throw new McpTxError('INTERNAL', message, { cause, execution: 'unknown' });
  }
}
