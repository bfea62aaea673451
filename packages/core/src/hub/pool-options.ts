/** What a user may say to a pool and hear of it, with every default, and the check that names a wrong field. */
import { McpTxError } from '../outcome/tx-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { MAX_TIMER_MS, systemClock } from '../runtime/clock.ts';

/** Options of {@link createPool}. Only `create` and `max` are required. */
export interface PoolOptions<Session extends object> {
  /** Makes a session. `signal` aborts when nobody waits for it any more: the pool was closed, or `createTimeoutMs` passed. */
  readonly create: (signal: AbortSignal) => Promise<Session>;
  /** Sessions at most, those included that are being made or ended. */
  readonly max: number;
  /** Longest wait for a session, ms. Default 10,000. */
  readonly acquireTimeoutMs?: number;
  /** Callers waiting in line at most. Default 256. */
  readonly maxWaiting?: number;
  /** Longest time that making a session may take, ms. Default 30,000. */
  readonly createTimeoutMs?: number;
  /** A session that nobody used for so long is ended, ms. Default 60,000. */
  readonly idleTimeoutMs?: number;
  /** A session that nobody used for longer is checked before it is lent, ms. Default 5,000. */
  readonly pingIfIdleMs?: number;
  /** A session older than this is ended instead of being lent again, ms. Default: none is too old. */
  readonly maxLifetimeMs?: number;
  /** Ends a session. Default: its `close()`, if it has one. */
  readonly destroy?: (session: Session) => Promise<void>;
  /** Whether a session is alive; to throw means no. Default: asks its `health({ check: true })`, if it has one, as a McpTx does. */
  readonly check?: (session: Session) => Promise<boolean>;
  /** For tests. */
  readonly clock?: Clock;
}

/** How a pool stands. */
export interface PoolState {
  /** All sessions: idle, lent, and those that are being made, checked or ended. Never more than `max`. */
  readonly size: number;
  readonly idle: number;
  readonly lent: number;
  /** Callers in line. */
  readonly waiting: number;
}

/** Options of one wait for a session. */
export interface AcquireOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Longest wait, ms. Default: the pool's `acquireTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** The options, complete. */
export type PoolSettings<Session extends object> = Required<PoolOptions<Session>>;

const DURATIONS = ['acquireTimeoutMs', 'createTimeoutMs', 'idleTimeoutMs', 'pingIfIdleMs'] as const;
const KNOWN: ReadonlySet<string> = new Set([
  ...DURATIONS,
  ...['create', 'max', 'maxWaiting', 'maxLifetimeMs', 'destroy', 'check', 'clock'],
]);

/** @throws McpTxError `CONFIG_INVALID` */
export function poolSettings<Session extends object>(options: PoolOptions<Session>): PoolSettings<Session> {
  if (typeof options !== 'object' || options === null) throw invalid('createPool takes an object of options');
  const unknown = Object.keys(options).find((field) => !KNOWN.has(field));
  if (unknown !== undefined) throw invalid(`${unknown} is not known; look for a typing error`);
  const settings = {
    acquireTimeoutMs: 10_000,
    maxWaiting: 256,
    createTimeoutMs: 30_000,
    idleTimeoutMs: 60_000,
    pingIfIdleMs: 5_000,
    maxLifetimeMs: Number.POSITIVE_INFINITY,
    destroy: closeIt,
    check: isHealthy,
    clock: systemClock,
    ...options,
  };
  for (const field of ['create', 'destroy', 'check'] as const)
    if (typeof settings[field] !== 'function') throw invalid(`${field} must be a function`);
  for (const field of DURATIONS) if (!isDuration(settings[field])) throw invalid(`${field} must be a duration in ms`);
  const { max, maxWaiting, maxLifetimeMs } = settings;
  if (!(Number.isInteger(max) && max >= 1)) throw invalid('max must be a whole number of at least 1');
  if (!(Number.isInteger(maxWaiting) && maxWaiting >= 0)) throw invalid('maxWaiting must be a whole number');
  if (!(typeof maxLifetimeMs === 'number' && maxLifetimeMs > 0))
    throw invalid('maxLifetimeMs must be a duration in ms');
  return settings;
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIMER_MS;
}

async function closeIt(session: object): Promise<void> {
  const { close } = session as { readonly close?: () => unknown };
  if (typeof close === 'function') await close.call(session);
}

async function isHealthy(session: object): Promise<boolean> {
  const { health } = session as { readonly health?: (options: object) => Promise<{ readonly status?: unknown }> };
  if (typeof health !== 'function') return true;
  const { status } = await health.call(session, { check: true });
  return status !== 'down' && status !== 'draining';
}

function invalid(message: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', message);
}
