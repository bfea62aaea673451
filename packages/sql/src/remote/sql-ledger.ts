/** The ledger on a database server: PostgreSQL, MySQL or MariaDB, through a pool of the user's own. */
import type {
  AuditLine,
  Claim,
  ClaimRequest,
  Durability,
  EnrollingLedger,
  Enrollment,
  EnrollRequest,
  Lease,
  LedgerReader,
  ListQuery,
  OperationRecord,
  Outcome,
  Page,
  Released,
  Resolution,
  ResolveResult,
  Stats,
  Swept,
  TransactionalLedger,
} from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Kysely } from 'kysely';
import type { ReadonlyKysely } from 'kysely/readonly';
import { claimInTransaction, claimUnseen, keyOfClaim } from '../operations/claim.ts';
import { purge } from '../operations/purge.ts';
import * as reader from '../operations/reader.ts';
import { keyOf, toRecord } from '../operations/rows.ts';
import type { Steps } from '../operations/steps.ts';
import { rowsBy } from '../operations/steps.ts';
import type { LedgerTables, OperationsTable, ResultsTable } from '../operations/tables.ts';
import * as transitions from '../operations/transitions.ts';
import { asTyped } from './as-typed.ts';
import { Batcher } from './batcher.ts';
import type { Transition } from './batches.ts';
import { isClaim, writeMany } from './batches.ts';
import { enrollThrough } from './enroll.ts';
import type { Flavour, NewClaim, NewEnd } from './flavour.ts';
import type { SqlTransaction } from './lent-connection.ts';
import type { OwnTransaction } from './own-transaction.ts';
import { executorOf } from './own-transaction.ts';
import { Readiness } from './readiness.ts';
import { inTransaction, reading } from './session.ts';
import type { OpenSqlLedger, SqlLedgerOptions } from './sql-ledger-options.ts';
import { openWith } from './sql-ledger-options.ts';
import type { StoreClock } from './store-clock.ts';
import type { TransactionKit } from './transaction.ts';
import { runTransaction } from './transaction.ts';

/** The tables of a ledger on a database server: results stand in the rows of their operations. */
export type RemoteTables = Omit<LedgerTables, 'mcp_tx_calls' | 'mcp_tx_results' | 'mcp_tx_operations'> & {
  readonly mcp_tx_operations: OperationsTable & Pick<ResultsTable, 'result'>;
};

/** A ledger on a database server. */
export interface SqlLedger
  extends TransactionalLedger<SqlTransaction>,
    EnrollingLedger<OwnTransaction>,
    LedgerReader,
    AsyncDisposable {
  /** The tables, for looking only, by the names `mcp_tx_…` whatever they are called. Works after the first use of the ledger. */
  readonly db: ReadonlyKysely<RemoteTables>;
}

/**
 * Keeps operations in tables of a database server. Nothing is asked of the server before the first use; the pool stays yours
 * and is never ended here.
 *
 * @throws McpTxError `CONFIG_INVALID`; from the first use on `LEDGER_UNAVAILABLE`, `LEDGER_VERSION`
 */
export function sqlLedger(options: SqlLedgerOptions): SqlLedger {
  return new RemoteLedger(openWith(options));
}

/** Rows that one purge transaction locks: each costs round trips, and others wait for them. */
const PURGE_CHUNK = 50;

class RemoteLedger implements SqlLedger {
  readonly durability: Durability;
  readonly shared = true;
  readonly db: ReadonlyKysely<RemoteTables>;
  /** Known after the first use. */
  declare createdAt?: number;
  readonly #db: Kysely<LedgerTables>;
  readonly #flavour: Flavour;
  readonly #clock: StoreClock | undefined;
  readonly #readiness: Readiness;
  readonly #transactions: TransactionKit;
  /** A claim is answered by a claim, an end by whether it holds. */
  readonly #batcher: Batcher<Transition, Claim | boolean>;
  /** Asked for and not answered yet. */
  #underWay = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #isClosed = false;

  constructor(open: OpenSqlLedger) {
    const { db, flavour, durability, clock, owner, transactionTimeoutMs } = open;
    this.#db = db;
    this.db = db.withPlugin(asTyped(flavour.codec.toText)) as unknown as ReadonlyKysely<RemoteTables>;
    this.#flavour = flavour;
    this.#clock = clock;
    this.durability = durability;
    this.#readiness = new Readiness(db, flavour, open);
    this.#transactions = { db, owner, flavour, clock, timeLimitMs: transactionTimeoutMs };
    const write = flavour.writing(open.run, clock);
    const runAlone = (job: Transition): Promise<Claim | boolean> =>
      isClaim(job) ? this.#claimAlone(job) : this.#endAlone(job);
    this.#batcher = new Batcher((jobs) => writeMany(jobs, write), runAlone, flavour.isAboutOne);
  }

  claim(request: ClaimRequest): Promise<Claim> {
    return this.#use(() => this.#batcher.run({ request, key: keyOfClaim(request) }) as Promise<Claim>);
  }

  markSent(lease: Lease, attempt: number): Promise<boolean> {
    return this.#write((now) => transitions.markSent(lease, attempt, now));
  }

  async renewAll(leases: readonly Lease[]): Promise<readonly boolean[]> {
    if (leases.length > 0) return this.#write((now) => transitions.renewEach(leases, now));
    this.#requireOpen();
    return [];
  }

  release(lease: Lease, released: Released): Promise<boolean> {
    return this.#write((now) => transitions.release(lease, released, now));
  }

  settle(lease: Lease, outcome: Outcome): Promise<boolean> {
    return this.#use(() => this.#batcher.run({ lease, outcome }) as Promise<boolean>);
  }

  async transaction(lease: Lease, work: (db: SqlTransaction) => Promise<Outcome>): Promise<boolean> {
    const end = await this.#use(() => runTransaction(this.#transactions, lease, work));
    if (end.kind === 'threw') throw end.error;
    return end.kind === 'ended';
  }

  async enroll(transaction: OwnTransaction, request: EnrollRequest): Promise<Enrollment> {
    const executor = executorOf(transaction, this.#flavour);
    return this.#use(() => enrollThrough(executor, this.#flavour, this.#clock, request));
  }

  resolve(operationId: string, resolution: Resolution): Promise<ResolveResult> {
    return this.#write((now) => transitions.resolve(operationId, resolution, now));
  }

  async find(operationId: string): Promise<OperationRecord | undefined> {
    const key = keyOf(operationId);
    if (key === undefined) return undefined;
    return this.#use(async () => {
      const [row] = await reading(this.#db, this.#flavour, this.#clock, () => rowsBy('byKey', key));
      return row === undefined || row.tombstone === 1 ? undefined : toRecord(row);
    });
  }

  async sweep(limit: number, serverName?: string): Promise<readonly Swept[]> {
    // Sweeps come often and mostly find nothing; only what they change is worth a transaction.
    const found = await this.#read((now) => transitions.runOut(limit, serverName, now));
    if (found.every(transitions.isRunnable)) return found.map((row) => ({ action: 'runnable', record: toRecord(row) }));
    return this.#write((now) => transitions.sweep(limit, serverName, now));
  }

  list(query: ListQuery): Promise<Page> {
    return this.#use(() => reader.list(this.#db, this.#flavour.codec, query));
  }

  stats(query: Omit<ListQuery, 'limit' | 'cursor'>): Promise<Stats> {
    return this.#use(() => reader.stats(this.#db, this.#flavour.codec, query));
  }

  audit(operationId: string): Promise<readonly AuditLine[]> {
    return this.#use(() => reader.audit(this.#db, this.#flavour.codec, operationId));
  }

  async purge(before: number, limit: number): Promise<number> {
    let removed = 0;
    while (removed < limit) {
      const chunk = Math.min(PURGE_CHUNK, limit - removed);
      const count = await this.#write(() => purge(before, chunk));
      removed += count;
      if (count < chunk) break;
    }
    return removed;
  }

  /** Waits for what was asked before. The pool goes on: it is not ours. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#underWay === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #claimAlone({ request, key }: NewClaim): Promise<Claim> {
    try {
      return await this.#transact((now) => claimUnseen(request, key, now));
    } catch (error) {
      if (!this.#flavour.isDuplicate(error)) throw error;
    }
    return this.#transact((now) => claimInTransaction(request, key, now));
  }

  #endAlone({ lease, outcome }: NewEnd): Promise<boolean> {
    return this.#transact((now) => transitions.settle(lease, outcome, now));
  }

  #transact<T>(work: (now: number) => Steps<T>): Promise<T> {
    return inTransaction(this.#db, this.#flavour, this.#clock, work);
  }

  #write<T>(work: (now: number) => Steps<T>): Promise<T> {
    return this.#use(() => this.#transact(work));
  }

  #read<T>(work: (now: number) => Steps<T>): Promise<T> {
    return this.#use(() => reading(this.#db, this.#flavour, this.#clock, work));
  }

  async #use<T>(work: () => Promise<T>): Promise<T> {
    this.#requireOpen();
    this.#underWay += 1;
    try {
      return await (this.#readiness.isReady ? work() : this.#onceReady(work));
    } catch (error) {
      throw this.#flavour.toLedgerError(error);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle?.resolve();
    }
  }

  async #onceReady<T>(work: () => Promise<T>): Promise<T> {
    await this.#readiness.wait();
    if (this.#readiness.createdAt !== undefined) this.createdAt = this.#readiness.createdAt;
    return work();
  }

  #requireOpen(): void {
    if (!this.#isClosed) return;
    throw new McpTxError('LEDGER_CLOSED', 'The ledger was closed. Close it after everything that uses it.');
  }
}
