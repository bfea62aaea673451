/** Decides how long to wait before send number n: capped exponential backoff with full jitter. */
import type { Random } from '../runtime/random.ts';

/** How waits grow. */
export interface Backoff {
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly backoffMultiplier: number;
  /** `full`: uniform in [0, ceiling). `none`: the ceiling itself, for tests and for servers that ask for it. */
  readonly jitter: 'full' | 'none';
}

/**
 * The wait after `failures` failed sends (from 1), ms.
 *
 * Full jitter, `rand(0, min(cap, base * multiplier^(failures-1)))`, as in Brooker, "Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015: it spreads a herd better than equal or no jitter for the same number of sends.
 */
export function backoffMs(backoff: Backoff, failures: number, random: Random): number {
  const ceiling = Math.min(backoff.maxDelayMs, backoff.baseDelayMs * backoff.backoffMultiplier ** (failures - 1));
  return backoff.jitter === 'full' ? random.next() * ceiling : ceiling;
}
