/** Lends a bounded number of sessions, to one borrower each, and replaces those that have died. */
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import type { PoolEntry } from './idle-sessions.ts';
import { IdleSessions } from './idle-sessions.ts';
import { inTime } from './in-time.ts';
import type { AcquireOptions, PoolOptions, PoolSettings, PoolState } from './pool-options.ts';
import { poolSettings } from './pool-options.ts';
import type { PooledSession } from './pooled-session.ts';
import { lend } from './pooled-session.ts';
import { WaitingLine } from './waiting-line.ts';

/** How long a session may take to say that it is alive, and to end, ms. After that it is taken for dead, and for ended. */
const CHECK_MS = 2_000;
const DESTROY_MS = 10_000;

/** Makes a pool. No session is made before somebody wants one. @throws McpTxError `CONFIG_INVALID`, naming the field */
export function createPool<Session extends object>(options: PoolOptions<Session>): Pool<Session> {
  return new Pool(options);
}

/** A pool of sessions. Made by {@link createPool}. */
export class Pool<Session extends object> implements AsyncDisposable {
  readonly #settings: PoolSettings<Session>;
  readonly #line: WaitingLine<PooledSession<Session>>;
  readonly #idle: IdleSessions<Session>;
  readonly #lent = new Set<PoolEntry<Session>>();
  #size = 0;
  /** Of these, under way for somebody in line: never more are begun than wait there. */
  #checking = 0;
  #making = 0;
  readonly #watchers = new Set<() => void>();
  readonly #closed = new AbortController();
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @internal Use {@link createPool}. */
  constructor(options: PoolOptions<Session>) {
    this.#settings = poolSettings(options);
    this.#line = new WaitingLine(this.#settings.clock);
    this.#idle = new IdleSessions(this.#settings, (session) => void this.#end(session));
  }

  /** How it stands now. */
  get state(): PoolState {
    return { size: this.#size, idle: this.#idle.count, lent: this.#lent.size, waiting: this.#line.length };
  }

  /**
   * Borrows a session: one that is idle, the next that comes back, or a new one. First come, first served.
   *
   * @throws McpTxError `DEADLINE_EXCEEDED`; `ABORTED`; `OVERLOADED` when the line is full; `CONNECTION_FAILED`, or what `create` threw
   * of its own; `CLOSED`; `CALL_INVALID`
   */
  async acquire(options: AcquireOptions = {}): Promise<PooledSession<Session>> {
    const { signal, timeoutMs = this.#settings.acquireTimeoutMs } = options;
    if (!(timeoutMs >= 0)) throw new McpTxError('CALL_INVALID', 'timeoutMs must be a duration in ms');
    if (this.#draining !== undefined || this.#isClosed) throw closed();
    if (signal?.aborted === true) throw new McpTxError('ABORTED', 'the signal was aborted before the wait began');
    const { max, maxWaiting } = this.#settings;
    const waiting = this.#line.length;
    const toBeHad = this.#idle.count + this.#checking + this.#making + max - this.#size;
    if (waiting >= maxWaiting + toBeHad)
      throw new McpTxError('OVERLOADED', `all ${max} sessions are taken, and ${waiting} callers wait`);
    const turn = this.#line.wait({ timeoutMs, signal });
    this.#serve();
    return turn;
  }

  /**
   * Borrows a session for as long as `act` takes. When that throws, the session is checked before anybody else gets it.
   *
   * @throws What {@link acquire} and `act` throw
   */
  async use<Result>(act: (session: Session) => Promise<Result>, options: AcquireOptions = {}): Promise<Result> {
    const lent = await this.acquire(options);
    let isDone = false;
    try {
      const result = await act(lent.session);
      isDone = true;
      return result;
    } finally {
      lent.release({ check: !isDone });
    }
  }

  /** Takes no more callers, serves those in line, and ends each session that is then idle. Resolves when the last has ended. */
  drain(): Promise<void> {
    if (this.#draining === undefined) {
      this.#draining = this.#until(() => this.#size === 0 && this.#line.length === 0);
      this.#serve();
    }
    return this.#draining;
  }

  /**
   * Ends the pool. Who waits is turned away at once; lent sessions get `graceMs` (default 5,000) to come back and are then ended all
   * the same. Repeated calls give the same promise.
   */
  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? 5_000);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  async #close(graceMs: number): Promise<void> {
    this.#closed.abort();
    this.#line.refuseAll(closed());
    this.#serve();
    await this.#until(() => this.#lent.size === 0, graceMs);
    for (const entry of this.#lent) void this.#evict(entry);
    await this.#until(() => this.#size === 0);
  }

  /** After everything that changes something: gets sessions ready for those in line, and ends those that nobody will want. */
  #serve(): void {
    const { max } = this.#settings;
    while (!this.#isClosed && this.#line.length > this.#checking) {
      const entry = this.#idle.take();
      if (entry === undefined) break;
      void this.#lookAt(entry);
    }
    while (!this.#isClosed && this.#line.length > this.#checking + this.#making && this.#size < max) void this.#make();
    if (this.#isClosed || (this.#draining !== undefined && this.#line.length === 0)) this.#idle.clear();
    for (const look of [...this.#watchers]) look();
  }

  /** What was idle for long, or is doubted, has to show that it is alive. Another one takes the place of a dead one. */
  async #lookAt(entry: PoolEntry<Session>): Promise<void> {
    const { clock, pingIfIdleMs } = this.#settings;
    const isDoubted = entry.isSuspect || clock.monotonic() - entry.idleSince > pingIfIdleMs;
    let isFit = !this.#isTooOld(entry);
    if (isFit && isDoubted) {
      this.#checking += 1;
      isFit = await this.#isAlive(entry.session);
      this.#checking -= 1;
    }
    if (isFit) this.#handOut({ ...entry, isSuspect: false });
    else {
      void this.#end(entry.session);
      this.#serve();
    }
  }

  async #make(): Promise<void> {
    const { clock, create, createTimeoutMs } = this.#settings;
    const onLate = (late: Session): void => void this.#destroyed(late);
    this.#making += 1;
    this.#size += 1;
    let entry: PoolEntry<Session> | undefined;
    try {
      const session = await inTime(clock, createTimeoutMs, create, { signal: this.#closed.signal, onLate });
      if (typeof session !== 'object' || session === null) throw new Error('create gave none');
      const now = clock.monotonic();
      entry = { session, madeAt: now, idleSince: now, isSuspect: false };
    } catch (error) {
      this.#line.refuseFirst(asTxError(error));
    }
    this.#making -= 1;
    if (entry !== undefined) this.#handOut(entry);
    else this.#gone();
  }

  /** To whoever waits longest. Nobody may wait any more. */
  #handOut(entry: PoolEntry<Session>): void {
    this.#lent.add(entry);
    const lent = lend(entry.session, {
      release: (isSuspect) => this.#back(entry, isSuspect),
      destroy: () => this.#evict(entry),
    });
    if (!this.#line.serveFirst(lent)) lent.release();
  }

  #back(entry: PoolEntry<Session>, isSuspect: boolean): void {
    if (!this.#lent.delete(entry)) return;
    entry.isSuspect = isSuspect;
    entry.idleSince = this.#settings.clock.monotonic();
    if (this.#isTooOld(entry)) void this.#end(entry.session);
    else this.#idle.put(entry);
    this.#serve();
  }

  async #evict(entry: PoolEntry<Session>): Promise<void> {
    if (!this.#lent.delete(entry)) return;
    await this.#end(entry.session);
  }

  /** Its place is free when it has ended, or will not. */
  async #end(session: Session): Promise<void> {
    await inTime(this.#settings.clock, DESTROY_MS, () => this.#destroyed(session)).catch(() => undefined);
    this.#gone();
  }

  async #destroyed(session: Session): Promise<void> {
    try {
      await this.#settings.destroy(session);
    } catch {
      // it is gone for us, whatever it says
    }
  }

  #gone(): void {
    this.#size -= 1;
    this.#serve();
  }

  async #isAlive(session: Session): Promise<boolean> {
    const { check, clock } = this.#settings;
    return inTime(clock, CHECK_MS, () => check(session), { signal: this.#closed.signal }).catch(() => false);
  }

  #isTooOld({ madeAt }: PoolEntry<Session>): boolean {
    return this.#settings.clock.monotonic() - madeAt >= this.#settings.maxLifetimeMs;
  }

  #until(isReached: () => boolean, limitMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (isReached()) done();
      };
      const done = (): void => {
        timer?.cancel();
        this.#watchers.delete(look);
        resolve();
      };
      const timer = limitMs === undefined ? undefined : this.#settings.clock.timer(limitMs, done);
      this.#watchers.add(look);
      look();
    });
  }
}

function closed(): McpTxError {
  return new McpTxError('CLOSED', 'the pool takes no more callers');
}

function asTxError(error: unknown): McpTxError {
  if (isMcpTxError(error)) return error;
  const message = `no session could be made: ${error instanceof Error ? error.message : String(error)}`;
  return new McpTxError('CONNECTION_FAILED', message, { cause: error });
}
