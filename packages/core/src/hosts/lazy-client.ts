/** Makes the instance of a host when it is first needed: once for all who ask meanwhile, and again after a failure. */
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import { inCleanContext } from '../runtime/clean-context.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { McpTx } from '../session/mcp-tx.ts';

/** An instance, or what makes one. A function is called at the first use; what it gives, or promises, is kept until it is closed. */
export type ClientSource = McpTx | (() => McpTx | Promise<McpTx>);

/**
 * Gives the instance of a source. Everybody who asks while it is being made shares that one attempt; a failure is told to all
 * of them and not kept, so that the next one who asks tries anew.
 *
 * @throws McpTxError `CONNECTION_FAILED` (with `cause`) from the returned function, when the source throws something else
 */
export function lazyClient(source: ClientSource, options: LazyClientOptions = {}): () => McpTx | Promise<McpTx> {
  if (typeof source !== 'function') return () => source;
  if (LAZY in source) return source;
  return Object.assign(memoized(source, options), { [LAZY]: true });
}

/** How an instance is kept. */
export interface LazyClientOptions {
  /**
   * For hosts that are frozen between two calls: an instance that nobody asked for during so long, by the wall clock, has to give a
   * sign of life first, and another one is made when it does not, ms. Default: never asked.
   */
  readonly checkIfIdleMs?: number;
  /** For tests. */
  readonly clock?: Clock;
}

/** Marks what is lazy already, so that hosts may wrap a source as often as they like. */
const LAZY: unique symbol = Symbol.for('mcp-tx.lazy-client');

function memoized(
  source: () => McpTx | Promise<McpTx>,
  { checkIfIdleMs = Number.POSITIVE_INFINITY, clock = systemClock }: LazyClientOptions,
): () => McpTx | Promise<McpTx> {
  let made: McpTx | undefined;
  let making: Promise<McpTx> | undefined;
  let askedAt = clock.now();
  return () => {
    const idleMs = clock.now() - askedAt;
    askedAt += idleMs;
    const kept = made?.isClosed === false ? made : undefined;
    if (kept !== undefined && making === undefined && idleMs <= checkIfIdleMs) return kept;
    making ??= inCleanContext(() => aliveOr(kept, source)).then(
      (client) => {
        made = client;
        making = undefined;
        return client;
      },
      (error: unknown) => {
        making = undefined;
        throw error;
      },
    );
    return making;
  };
}

/** The instance that is there, if it gives a sign of life; another one if not. */
async function aliveOr(kept: McpTx | undefined, source: () => McpTx | Promise<McpTx>): Promise<McpTx> {
  if (kept === undefined) return make(source);
  if ((await kept.health({ check: true })).status !== 'down') return kept;
  void kept.close({ graceMs: 0 });
  return make(source);
}

async function make(source: () => McpTx | Promise<McpTx>): Promise<McpTx> {
  try {
    return await source();
  } catch (cause) {
    if (isMcpTxError(cause)) throw cause;
    throw new McpTxError('CONNECTION_FAILED', 'the instance could not be made', { cause });
  }
}
