/** What a user may say when making an instance, with every default, and the check that names a wrong field. */

import type { McpClientLike } from '../connect/mcp-client.ts';
import type { ServerSource } from '../connect/server-source.ts';
import type { BreakerOptions } from '../engine/breaker.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { Durability } from '../outcome/durability.ts';
import type { CallDefaults, RetrySettings, ToolRule } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Logger, LogRequests } from './request-log.ts';

/** Options of {@link createMcpTx}. Only `server` is required. */
export interface McpTxOptions {
  /** `stdio(…)`, `http(…)`, or a client of either SDK that you have connected. */
  readonly server: ServerSource | McpClientLike;
  /** Name of the server; part of every operation's identity. Required with any ledger that outlives the process. */
  readonly name?: string;
  /** Where operations are recorded. Default: a memory ledger. `false`: nowhere; keys are then refused. */
  readonly ledger?: Ledger | false;
  /** Refuse to start with a weaker ledger. */
  readonly requireDurability?: Durability;
  /** Tenant or principal of calls that name none. Default `default`. */
  readonly scope?: string;
  /** Total deadline of a call, ms. Default 30,000. */
  readonly timeoutMs?: number;
  /** Longest silence of one send, ms: progress starts it anew, never past the deadline. Default: half of the deadline where sends may be repeated, else all of it. */
  readonly attemptTimeoutMs?: number;
  /** Default: 3 sends, 1,000 ms doubling up to 30,000 ms, full jitter. */
  readonly retry?: Partial<RetrySettings>;
  /** Delivery mode of tools about which nothing is known. Default `at-most-once`. */
  readonly delivery?: DeliveryMode;
  /** Rules for single tools, by name. */
  readonly tools?: Readonly<Record<string, ToolRule>>;
  /** Believe the server's annotations and its own words about errors. Default `false`. */
  readonly trusted?: boolean;
  /** HTTP 429 means that nothing ran. Default `true`. */
  readonly busyMeansNotRun?: boolean;
  /** HTTP 503 with Retry-After means that nothing ran. Default `false`. */
  readonly unavailableMeansNotRun?: boolean;
  /** Check arguments against the tool's inputSchema before anything else. Default `true`. */
  readonly validateArguments?: boolean;
  /** How long to listen for a late answer after the deadline, ms. Default 60,000. */
  readonly settleGraceMs?: number;
  /** How much longer a send could still take effect after that, ms: until then a probe's `absent` is not believed. Default 1,000. */
  readonly quietMs?: number;
  /** How long another process has to wait before it may take over from a crashed one, ms. Default 15,000. */
  readonly leaseMs?: number;
  /** `false` for hosts that freeze between requests: without `leaseMs`, the lease of a call then lasts as long as its deadline. Default `true`. */
  readonly renewLeases?: boolean;
  /** No byte leaves this close to the end of the lease, ms. Default a tenth of the lease. */
  readonly safetyMarginMs?: number;
  /** How long an ended operation is remembered, ms. Default 24 hours. */
  readonly retentionMs?: number;
  /** Keep arguments in the ledger. Default `false`. */
  readonly storeArguments?: boolean;
  readonly limits?: Partial<Limits>;
  /** Re-sends allowed to all calls together: `capacity` at once, and `ratio` more per operation. Default 10 and 0.1. */
  readonly retryBudget?: { readonly capacity?: number; readonly ratio?: number };
  /** Default: opens after 10 faults in a row, for 5,000 ms, one probe. `false`: never opens. */
  readonly breaker?: Partial<BreakerOptions> | false;
  /** How long a keyless call that equals an operation in doubt is held back, ms. Default 0: never. */
  readonly quarantineMs?: number;
  /** Run tools declared read-only without a record while the ledger is down. Default `false`. */
  readonly readOnlyWithoutLedger?: boolean;
  /** Distance of background sweeps, ms; 0 turns off all background work: sweeps, probes after a reconnect, asking for the results of tasks. Default 30,000. */
  readonly sweepIntervalMs?: number;
  /** Longest wait for a connection, ms. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** A connection idle for longer is probed before an unsafe send, ms. Default 5,000. */
  readonly probeIfIdleMs?: number;
  readonly logger?: Logger;
  /** Log every call. Default `false`: only what needs somebody's attention. */
  readonly logRequests?: LogRequests;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests. */
  readonly random?: Random;
}

/** Bounds on what is accepted at once. */
export interface Limits {
  /** Calls under way. Default 64. */
  readonly maxInFlight: number;
  /** Calls waiting in line. Default 256. */
  readonly maxQueued: number;
  /** Length of the arguments of all of these together, as JSON text. Default 64 Mi. */
  readonly maxQueuedLength: number;
  /** Nesting of one call's arguments. Default 64. */
  readonly maxArgumentDepth: number;
  /** Length of one call's arguments as JSON text. Default 1 Mi. */
  readonly maxArgumentLength: number;
  /** Length of one result as JSON text. Default 8 Mi. */
  readonly maxResultLength: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const MI = 1024 * 1024;
const RETRY: RetrySettings = {
  maxAttempts: 3,
  baseDelayMs: 1_000,
  maxDelayMs: 30_000,
  backoffMultiplier: 2,
  jitter: 'full',
};
const LIMITS: Limits = {
  maxInFlight: 64,
  maxQueued: 256,
  maxQueuedLength: 64 * MI,
  maxArgumentDepth: 64,
  maxArgumentLength: MI,
  maxResultLength: 8 * MI,
};
const BREAKER: BreakerOptions = { failureThreshold: 10, openMs: 5_000, halfOpenProbes: 1 };
const NEVER_OPENS: BreakerOptions = { ...BREAKER, failureThreshold: Number.POSITIVE_INFINITY };

/** The defaults of calls, complete. */
export function callDefaults(options: McpTxOptions): CallDefaults {
  const limits = limitsOf(options);
  const leaseMs = options.leaseMs ?? 15_000;
  return {
    scope: options.scope ?? 'default',
    timeoutMs: options.timeoutMs ?? 30_000,
    ...(options.attemptTimeoutMs === undefined ? {} : { attemptTimeoutMs: options.attemptTimeoutMs }),
    retry: { ...RETRY, ...options.retry },
    delivery: options.delivery ?? 'at-most-once',
    settleGraceMs: options.settleGraceMs ?? 60_000,
    quietMs: options.quietMs ?? 1_000,
    leaseMs,
    safetyMarginMs: options.safetyMarginMs ?? leaseMs / 10,
    retentionMs: options.retentionMs ?? DAY_MS,
    storeArguments: options.storeArguments ?? false,
    maxArgumentDepth: limits.maxArgumentDepth,
    maxArgumentLength: limits.maxArgumentLength,
    maxResultLength: limits.maxResultLength,
    quarantineMs: options.quarantineMs ?? 0,
    readOnlyWithoutLedger: options.readOnlyWithoutLedger ?? false,
  };
}

/** The limits, complete. */
export function limitsOf(options: McpTxOptions): Limits {
  return { ...LIMITS, ...options.limits };
}

/** The breaker's settings, complete. */
export function breakerOf(options: McpTxOptions): BreakerOptions {
  return options.breaker === false ? NEVER_OPENS : { ...BREAKER, ...options.breaker };
}
