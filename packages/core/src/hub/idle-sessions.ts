/** Keeps the sessions of a pool that nobody uses, and says which of them have been unused for too long, or are too old. */
import type { Clock, Timer } from '../runtime/clock.ts';

/** A session of a pool. */
export interface PoolEntry<Session> {
  readonly session: Session;
  /** By the clock's `monotonic()`. */
  readonly madeAt: number;
  idleSince: number;
  /** Its last borrower doubted it. */
  isSuspect: boolean;
}

/** How long a session is kept. */
export interface IdleSettings {
  readonly clock: Clock;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
}

/** The idle sessions, with one timer for the one that is over first. */
export class IdleSessions<Session> {
  readonly #settings: IdleSettings;
  readonly #onOver: (session: Session) => void;
  /** The longest unused first. */
  #entries: PoolEntry<Session>[] = [];
  #expiry: Timer | undefined;

  constructor(settings: IdleSettings, onOver: (session: Session) => void) {
    this.#settings = settings;
    this.#onOver = onOver;
  }

  get count(): number {
    return this.#entries.length;
  }

  put(entry: PoolEntry<Session>): void {
    this.#entries.push(entry);
    this.#arm();
  }

  /** The one that was used last, so that the others can become too old. */
  take(): PoolEntry<Session> | undefined {
    const entry = this.#entries.pop();
    if (entry !== undefined) this.#arm();
    return entry;
  }

  /** All of them are over. */
  clear(): void {
    this.#end(() => true);
  }

  #end(isOver: (entry: PoolEntry<Session>) => boolean): void {
    const over = this.#entries.filter(isOver);
    this.#entries = this.#entries.filter((entry) => !over.includes(entry));
    this.#arm();
    for (const { session } of over) this.#onOver(session);
  }

  #arm(): void {
    const { clock } = this.#settings;
    this.#expiry?.cancel();
    this.#expiry = undefined;
    if (this.#entries.length === 0) return;
    const delayMs = Math.min(...this.#entries.map((entry) => this.#overAt(entry))) - clock.monotonic();
    const expire = (): void => this.#end((entry) => this.#overAt(entry) <= clock.monotonic());
    this.#expiry = clock.timer(delayMs, expire, { background: true });
  }

  #overAt({ idleSince, madeAt }: PoolEntry<Session>): number {
    return Math.min(idleSince + this.#settings.idleTimeoutMs, madeAt + this.#settings.maxLifetimeMs);
  }
}
