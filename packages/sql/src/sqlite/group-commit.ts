/** Commits together what arrives together: one transaction, one sync to disk, for all the work of one turn of the event loop. */
import type { Clock, McpTxError } from '@mcp-tx/core/ledger';
import { systemClock } from '@mcp-tx/core/ledger';

/** The synchronous database below. */
export interface Transactor {
  begin(): void;
  commit(): void;
  /** Never throws. */
  rollback(): void;
  /** Whether `error`, thrown by `begin`, says that another process holds the lock. */
  isBusy(error: unknown): boolean;
  toLedgerError(error: unknown): McpTxError;
}

interface Job {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: McpTxError) => void;
  /** When it gives up waiting for the lock, by the monotonic clock. */
  readonly giveUpAt: number;
  answer: unknown;
}

/** Bounds how long one batch blocks the event loop. */
const MAX_BATCH = 256;
/** Bounds of the wait between two tries for the lock, ms. */
const MIN_WAIT_MS = 2;
const MAX_WAIT_MS = 50;

/** Runs jobs in batches. A job's promise settles only after its batch is committed. */
export class GroupCommit {
  readonly #transactor: Transactor;
  readonly #busyTimeoutMs: number;
  readonly #clock: Clock;
  #queue: Job[] = [];
  #isScheduled = false;
  #tries = 0;
  #whenIdle: (() => void)[] = [];
  /** Who has the database to themselves, one after the other. */
  #alone: Promise<void> = Promise.resolve();
  #aloneCount = 0;

  constructor(transactor: Transactor, busyTimeoutMs: number, clock: Clock = systemClock) {
    this.#transactor = transactor;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#clock = clock;
  }

  /**
   * Runs `work` inside a transaction, with others or alone; it may be run twice if another one in its batch fails.
   *
   * @throws McpTxError `LEDGER_UNAVAILABLE` when the lock stayed taken, or what `work` threw.
   */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUpAt = this.#clock.monotonic() + this.#busyTimeoutMs;
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject, giveUpAt, answer: undefined });
      this.#schedule();
    });
  }

  /** Runs `work` while no batch is: what else comes waits for it. For a transaction that goes on over awaits, on another handle. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
    const before = this.#alone;
    this.#alone = isOver;
    this.#aloneCount += 1;
    await before;
    try {
      return await work();
    } finally {
      this.#aloneCount -= 1;
      end();
      if (this.#aloneCount === 0) this.#afterAlone();
    }
  }

  /** Resolves once nothing is waiting to be committed. */
  idle(): Promise<void> {
    if (!this.#isScheduled && this.#aloneCount === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /**
   * At the end of the event loop's turn: all callers that it woke have asked by then. An idle loop comes there at once, so that a
   * lone caller waits for nothing; a microtask would be no faster, and a caller in a loop would keep out timers and sockets.
   */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #afterAlone(): void {
    if (this.#isScheduled) setImmediate(() => this.#flush());
    else this.#next();
  }

  #flush(): void {
    if (this.#aloneCount > 0) return; // it is called again afterwards
    try {
      this.#transactor.begin();
    } catch (error) {
      this.#waitOrGiveUp(error);
      return;
    }
    this.#tries = 0;
    const batch = this.#queue.length <= MAX_BATCH ? this.#queue : this.#queue.slice(0, MAX_BATCH);
    this.#queue = this.#queue.slice(batch.length);
    this.#commit(batch);
    this.#next();
  }

  #commit(batch: readonly Job[]): void {
    try {
      for (const job of batch) job.answer = job.work();
    } catch (error) {
      this.#transactor.rollback();
      if (batch.length === 1) batch[0]?.reject(this.#transactor.toLedgerError(error));
      else for (const job of batch) this.#commitAlone(job);
      return;
    }
    try {
      this.#transactor.commit();
    } catch (error) {
      this.#transactor.rollback();
      for (const job of batch) job.reject(this.#transactor.toLedgerError(error));
      return;
    }
    for (const job of batch) job.resolve(job.answer);
  }

  /** One bad job must not take the others of its batch with it. */
  #commitAlone(job: Job): void {
    try {
      this.#transactor.begin();
    } catch (error) {
      if (this.#transactor.isBusy(error)) this.#queue.push(job);
      else job.reject(this.#transactor.toLedgerError(error));
      return;
    }
    this.#commit([job]);
  }

  #next(): void {
    this.#isScheduled = false;
    if (this.#queue.length > 0) {
      this.#schedule();
      return;
    }
    for (const resolve of this.#whenIdle) resolve();
    this.#whenIdle = [];
  }

  #waitOrGiveUp(error: unknown): void {
    const now = this.#clock.monotonic();
    const isBusy = this.#transactor.isBusy(error);
    const hopeless = this.#queue.filter((job) => !isBusy || job.giveUpAt <= now);
    this.#queue = this.#queue.filter((job) => isBusy && job.giveUpAt > now);
    for (const job of hopeless) job.reject(this.#transactor.toLedgerError(error));
    if (this.#queue.length === 0) {
      this.#next();
      return;
    }
    this.#tries += 1;
    const wait = Math.min(MAX_WAIT_MS, MIN_WAIT_MS * 2 ** this.#tries) * Math.random();
    this.#clock.timer(wait, () => this.#flush());
  }
}
