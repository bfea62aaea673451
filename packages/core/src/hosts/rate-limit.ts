/** Decides how many calls of one principal are taken: so many at once, and so many more each second. */
import type { Clock } from '../runtime/clock.ts';
import { HttpError } from './http-error.ts';

/** A token bucket for each scope. */
export interface RateLimit {
  /** Calls taken at once. */
  readonly burst: number;
  /** Calls more, each second. */
  readonly perSecond: number;
}

interface Bucket {
  left: number;
  at: number;
}

/** Buckets are looked through for full ones, which need no keeping, whenever there are so many more. */
const KEPT = 1_000;

/** Counts the calls of each scope. A scope that is over its limit takes nothing from others. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();
  #lookAt = KEPT;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Takes one call. @throws HttpError `RATE_LIMITED`, with `Retry-After` */
  take(scope: string): void {
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(scope) ?? { left: this.#limit.burst, at: now };
    bucket.left = this.#leftAt(bucket, now);
    bucket.at = now;
    this.#buckets.set(scope, bucket);
    if (bucket.left < 1) {
      const waitS = Math.ceil((1 - bucket.left) / this.#limit.perSecond);
      throw new HttpError('RATE_LIMITED', undefined, { headers: { 'retry-after': String(waitS) } });
    }
    bucket.left -= 1;
    if (this.#buckets.size >= this.#lookAt) this.#forget(now);
  }

  #leftAt({ left, at }: Bucket, now: number): number {
    return Math.min(this.#limit.burst, left + ((now - at) / 1_000) * this.#limit.perSecond);
  }

  #forget(now: number): void {
    for (const [scope, bucket] of this.#buckets) {
      if (this.#leftAt(bucket, now) >= this.#limit.burst) this.#buckets.delete(scope);
    }
    this.#lookAt = this.#buckets.size + KEPT;
  }
}
