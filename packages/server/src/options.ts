/** Decides what a user may say about a server that speaks MCP-Tx, and what holds where nothing is said. */
import type { Clock, Ledger, TransactionalLedger } from '@mcp-tx/core/ledger';
import { isTransactionalLedger, McpTxError, systemClock } from '@mcp-tx/core/ledger';

/** What is known of the caller of one request. */
export interface CallerContext {
  /** What the transport's authentication found out (`extra.authInfo`, `ctx.http.authInfo`); `undefined` without one. */
  readonly authInfo: AuthInfoLike | undefined;
  /** Id of the transport's session. A client chooses and loses it freely: never a principal. */
  readonly sessionId: string | undefined;
  /** The SDK's own context of the request: `extra` of SDK v1, `ctx` of SDK v2. */
  readonly context: unknown;
}

/** The part of the SDKs' `AuthInfo` that tells who calls. */
export interface AuthInfoLike {
  readonly clientId?: string;
  readonly scopes?: readonly string[];
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Names the principal of a request. No name (`undefined`, an empty text, a throw) refuses the call. */
export type ScopeOf = (caller: CallerContext) => string | undefined | Promise<string | undefined>;

/** What a server that speaks MCP-Tx is told. */
export interface ServerTxOptions {
  /** Where operations are kept. Yours: it is not closed here. */
  readonly ledger: Ledger;
  /**
   * Whose operations these are. Two scopes never see each other's operations, whatever ids they use. A constant is right for
   * a server with one principal, as over stdio; anything that several parties can reach needs a function of the
   * authenticated caller.
   */
  readonly scope: string | ScopeOf;
  /** Part of every record's identity. Required unless the ledger forgets with the process; then `default`. */
  readonly name?: string;
  /** How long an ended operation is remembered, ms. Announced to clients. Default 24 hours. */
  readonly retentionMs?: number;
  /** How long after a crash an operation counts as still under way, ms. Default 15,000. */
  readonly leaseMs?: number;
  /**
   * What a client's cancellation of a recorded call does. `detach`: nothing, the tool runs to its end and a repeat gets the
   * result. `cancel`: the tool's signal aborts, and the operation is in doubt unless it had ended. Default `detach`.
   */
  readonly onCancel?: 'detach' | 'cancel';
  /**
   * Names of the tools that write nothing but through `currentCall().transaction`. A crash leaves no doubt of them: either
   * effect and record are there, or a repeat runs the tool. Needs a ledger with transactions. Default none.
   */
  readonly transactional?: readonly string[];
  /** Length of one call's arguments as JSON text, and their nesting. Default 1 Mi and 64. */
  readonly maxArgumentLength?: number;
  readonly maxArgumentDepth?: number;
  /** Told of what no caller hears: a ledger that fails in the background, a scope function that throws. */
  readonly onError?: (error: unknown) => void;
  /** For tests. */
  readonly clock?: Clock;
}

/** The options, complete. */
export type Settings = Required<Omit<ServerTxOptions, 'transactional'>> & {
  readonly transactional: ReadonlySet<string>;
  /** Epoch ms. */
  readonly startedAt: number;
  /** The ledger again, when any tool is transactional. */
  readonly transactions: TransactionalLedger | undefined;
};

const MI = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** @throws McpTxError `CONFIG_INVALID`; the message names the option. */
export function completeOptions(options: ServerTxOptions): Settings {
  const { ledger, scope, name, leaseMs = 15_000, retentionMs = DAY_MS, clock = systemClock } = options;
  const isLasting = ledger?.shared || ledger?.durability !== 'process';
  if (typeof ledger?.claim !== 'function') throw invalid('ledger must be a ledger, for example memoryLedger()');
  if (typeof scope !== 'function' && (typeof scope !== 'string' || scope === ''))
    throw invalid('scope must be a text or a function of the caller; it keeps principals apart');
  if (name === undefined && isLasting) throw invalid('name is required with a ledger that outlives the process');
  if (name === '') throw invalid('name is empty');
  const onCancel = options.onCancel ?? 'detach';
  if (onCancel !== 'detach' && onCancel !== 'cancel') throw invalid("onCancel must be 'detach' or 'cancel'");
  return {
    ...{ ledger, scope, clock, onCancel, name: name ?? 'default' },
    ...transactionsOf(options),
    startedAt: clock.now(),
    leaseMs: duration('leaseMs', leaseMs),
    retentionMs: duration('retentionMs', retentionMs),
    maxArgumentLength: duration('maxArgumentLength', options.maxArgumentLength ?? MI),
    maxArgumentDepth: duration('maxArgumentDepth', options.maxArgumentDepth ?? 64),
    onError: harmless(options.onError),
  };
}

function transactionsOf({
  ledger,
  transactional = [],
}: ServerTxOptions): Pick<Settings, 'transactional' | 'transactions'> {
  if (!Array.isArray(transactional) || transactional.some((tool) => typeof tool !== 'string'))
    throw invalid('transactional must be a list of tool names');
  if (transactional.length === 0) return { transactional: new Set(), transactions: undefined };
  if (!isTransactionalLedger(ledger))
    throw invalid('transactional tools need a ledger with transactions: sqliteLedger or sqlLedger of @mcp-tx/sql');
  return { transactional: new Set(transactional), transactions: ledger };
}

/** A listener that throws must not change how a call ends. */
function harmless(listener: ServerTxOptions['onError']): (error: unknown) => void {
  return (error) => {
    try {
      listener?.(error);
    } catch {
      // It was told.
    }
  };
}

function duration(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw invalid(`${name} must be a positive number, not ${value}`);
}

function invalid(problem: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `withMcpTx: ${problem}`);
}
