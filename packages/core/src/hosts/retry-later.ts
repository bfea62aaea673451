/** Decides when a job that nothing became of comes again, and when it has come often enough. */
import type { McpTxError } from '../outcome/tx-error.ts';
import type { Backoff } from '../policy/backoff.ts';
import { backoffMs } from '../policy/backoff.ts';
import type { Random } from '../runtime/random.ts';

/** How often and how slowly jobs come again. Such a return is no attempt: nothing ran, or somebody else is at it. */
export interface RetryLater extends Backoff {
  /** A job that came back so often is a dead letter. Default 1,000. */
  readonly maxReturns: number;
}

const RETRY_LATER: RetryLater = {
  baseDelayMs: 1_000,
  maxDelayMs: 60_000,
  backoffMultiplier: 2,
  jitter: 'full',
  maxReturns: 1_000,
};

/** The settings, complete. */
export function retryLaterOf(given: Partial<RetryLater> = {}): RetryLater {
  return { ...RETRY_LATER, ...given };
}

/**
 * The instant at which a job comes again after `returns` returns (from 0), epoch ms. Never before the server's word; jittered beyond
 * it, for a herd was given the same word. Who waits for another process looks sooner: that one may be done at any time.
 */
export function retryAtOf(
  error: McpTxError,
  returns: number,
  settings: RetryLater,
  { now, random }: { readonly now: number; readonly random: Random },
): number {
  const delayMs = backoffMs(settings, returns + 1, random);
  const from = error.code === 'IN_PROGRESS' ? now : Math.max(now, error.retryAt ?? now);
  return Math.ceil(from + delayMs);
}
