/** The ledger in one SQLite file: the contract's methods, each a synchronous step inside a batch that is committed as one. */
import type { DatabaseSync } from 'node:sqlite';
import type {
  AuditLine,
  Claim,
  ClaimRequest,
  Clock,
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
import { Kysely } from 'kysely';
import type { ReadonlyKysely } from 'kysely/readonly';
import { answerByReading, claimInTransaction, claimUnseen, keyOfClaim } from '../operations/claim.ts';
import { renaming } from '../operations/names.ts';
import { purge } from '../operations/purge.ts';
import * as reader from '../operations/reader.ts';
import { keyOf, toRecord } from '../operations/rows.ts';
import type { Steps } from '../operations/steps.ts';
import type { LedgerTables } from '../operations/tables.ts';
import * as transitions from '../operations/transitions.ts';
import type { OwnSqliteTransaction } from './enroll.ts';
import { enrollThrough } from './enroll.ts';
import { fileTransactor } from './file-transactor.ts';
import { GroupCommit } from './group-commit.ts';
import { createdAt } from './migrate.ts';
import { IN_MEMORY, openDatabase, openForReading } from './open-database.ts';
import { nodeSqliteDialect } from './sqlite-dialect.ts';
import { toLedgerError } from './sqlite-errors.ts';
import type { SqliteLedgerOptions } from './sqlite-ledger-options.ts';
import { kitOf } from './sqlite-ledger-options.ts';
import type { Statements } from './statements.ts';
import { prepareStatements, rowByKey, runSteps, sqliteCodec } from './statements.ts';
import type { SqliteTransaction, TransactionKit } from './transaction.ts';
import { runTransaction } from './transaction.ts';

/** A ledger in an SQLite file. */
export interface SqliteLedger
  extends TransactionalLedger<SqliteTransaction>,
    EnrollingLedger<OwnSqliteTransaction>,
    LedgerReader,
    AsyncDisposable {
  /** The file's tables, for looking only. Closed with the ledger. */
  readonly db: ReadonlyKysely<LedgerTables>;
}

/**
 * Opens a ledger in the file `path`, which is made when it does not exist, or in memory for `:memory:`.
 *
 * Durability is `fsync`: what was acknowledged survives a crash of the process and of the machine. Any number of processes on
 * one machine may open the same file; a network share will not do.
 *
 * @throws McpTxError `CONFIG_INVALID`; `LEDGER_UNAVAILABLE` when the file cannot be opened or written; `LEDGER_CORRUPT` when it is
 * damaged or no database; `LEDGER_VERSION` when a newer version wrote it.
 */
export function sqliteLedger(path: string, options: SqliteLedgerOptions = {}): SqliteLedger {
  const kit = kitOf(path, options);
  return new FileLedger(kit, openDatabase(path, kit.busyTimeoutMs, kit.names));
}

/** Rows that one purge transaction looks at: it blocks the event loop for a few ms. */
const PURGE_CHUNK = 500;

class FileLedger implements SqliteLedger {
  readonly durability: Durability;
  readonly shared: boolean;
  readonly createdAt: number;
  readonly db: ReadonlyKysely<LedgerTables>;
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #sql: Statements;
  readonly #reads: Kysely<LedgerTables>;
  readonly #writes: GroupCommit;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #transactions: TransactionKit;
  #closing: Promise<void> | undefined;

  constructor(kit: TransactionKit, database: DatabaseSync) {
    const { path, names, busyTimeoutMs, clock } = kit;
    this.#transactions = kit;
    const isFile = path !== IN_MEMORY;
    this.durability = isFile ? 'fsync' : 'process';
    this.shared = isFile;
    this.createdAt = createdAt(database, names);
    this.#path = path;
    this.#database = database;
    this.#sql = prepareStatements(database, names);
    const open = isFile ? () => openForReading(path) : () => database; // a handle of its own: reads never meet our transactions
    this.#reads = new Kysely<LedgerTables>({ dialect: nodeSqliteDialect(open), plugins: [...renaming(names)] });
    this.db = this.#reads as unknown as ReadonlyKysely<LedgerTables>;
    this.#writes = new GroupCommit(fileTransactor(database, path), busyTimeoutMs);
    this.#clock = clock;
  }

  async claim(request: ClaimRequest): Promise<Claim> {
    const key = keyOfClaim(request);
    const answer = this.#read((sql) => answerByReading(rowByKey(sql, key), request, this.#clock.now()));
    if (typeof answer === 'object') return answer;
    const claim = answer === 'is there' ? claimInTransaction : claimUnseen;
    return this.#write((now) => claim(request, key, now));
  }

  async markSent(lease: Lease, attempt: number): Promise<boolean> {
    return this.#write((now) => transitions.markSent(lease, attempt, now));
  }

  async renewAll(leases: readonly Lease[]): Promise<readonly boolean[]> {
    this.#requireOpen();
    if (leases.length === 0) return [];
    return this.#write((now) => transitions.renewEach(leases, now));
  }

  async release(lease: Lease, released: Released): Promise<boolean> {
    return this.#write((now) => transitions.release(lease, released, now));
  }

  async settle(lease: Lease, outcome: Outcome): Promise<boolean> {
    return this.#write((now) => transitions.settle(lease, outcome, now));
  }

  async transaction(lease: Lease, work: (db: SqliteTransaction) => Promise<Outcome>): Promise<boolean> {
    this.#requireOpen();
    if (!this.shared) throw new McpTxError('CONFIG_INVALID', 'Transactions need a ledger in a file, not :memory:.');
    return this.#writes.alone(() => runTransaction(this.#transactions, lease, work));
  }

  async enroll(transaction: OwnSqliteTransaction, request: EnrollRequest): Promise<Enrollment> {
    if (!this.shared) throw new McpTxError('CONFIG_INVALID', 'Intents need a ledger in a file, not :memory:.');
    return this.#look(() => enrollThrough(transaction, this.#transactions, request));
  }

  async resolve(operationId: string, resolution: Resolution): Promise<ResolveResult> {
    return this.#write((now) => transitions.resolve(operationId, resolution, now));
  }

  async find(operationId: string): Promise<OperationRecord | undefined> {
    return this.#read((sql) => {
      const key = keyOf(operationId);
      const row = key === undefined ? undefined : rowByKey(sql, key);
      return row === undefined || row.tombstone === 1 ? undefined : toRecord(row);
    });
  }

  async sweep(limit: number, serverName?: string): Promise<readonly Swept[]> {
    // Sweeps come often and mostly find nothing; only what they change is worth a transaction.
    const found = this.#read((sql) => runSteps(sql, transitions.runOut(limit, serverName, this.#clock.now())));
    if (found.every(transitions.isRunnable)) return found.map((row) => ({ action: 'runnable', record: toRecord(row) }));
    return this.#write((now) => transitions.sweep(limit, serverName, now));
  }

  async list(query: ListQuery): Promise<Page> {
    return this.#look((db) => reader.list(db, sqliteCodec, query));
  }

  async stats(query: Omit<ListQuery, 'limit' | 'cursor'>): Promise<Stats> {
    return this.#look((db) => reader.stats(db, sqliteCodec, query));
  }

  async audit(operationId: string): Promise<readonly AuditLine[]> {
    return this.#look((db) => reader.audit(db, sqliteCodec, operationId));
  }

  async purge(before: number, limit: number): Promise<number> {
    // Purges come often and mostly find nothing: that is found out without the lock.
    if (this.#read((sql) => sql.expired.get(before, 1)) === undefined) return 0;
    let removed = 0;
    while (removed < limit) {
      const chunk = Math.min(PURGE_CHUNK, limit - removed);
      const count = await this.#write(() => purge(before, chunk));
      removed += count;
      if (count < chunk) break;
    }
    return removed;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What was asked before is still committed; the log is written back, so that the file can be copied as it is. */
  async #close(): Promise<void> {
    await this.#writes.idle();
    if (this.shared) await this.#reads.destroy();
    try {
      this.#database.exec('pragma wal_checkpoint(truncate)');
    } catch {
      // Another process is reading: the log stays, complete, and the next to open the file uses it.
    }
    this.#database.close();
  }

  #write<T>(work: (now: number) => Steps<T>): Promise<T> {
    this.#requireOpen();
    return this.#writes.run(() => runSteps(this.#sql, work(this.#clock.now())));
  }

  #read<T>(work: (sql: Statements) => T): T {
    this.#requireOpen();
    try {
      return work(this.#sql);
    } catch (error) {
      throw toLedgerError(error, this.#path);
    }
  }

  async #look<T>(work: (db: Kysely<LedgerTables>) => Promise<T>): Promise<T> {
    this.#requireOpen();
    try {
      return await work(this.#reads);
    } catch (error) {
      this.#requireOpen(); // it may have been closed meanwhile
      throw toLedgerError(error, this.#path);
    }
  }

  #requireOpen(): void {
    if (this.#closing === undefined) return;
    throw new McpTxError(
      'LEDGER_CLOSED',
      `The ledger ${this.#path} was closed. Close it after everything that uses it.`,
    );
  }
}
