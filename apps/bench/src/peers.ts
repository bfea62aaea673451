// The raw call under what people put around it today. None of these knows whether a tool has run; all of them send again.
import {
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import pRetry from 'p-retry';
import type { Work } from './interleave.ts';
import { raw } from './subjects.ts';

/** p-retry, three attempts. */
export async function withPRetry(): Promise<Work> {
  const call = await raw();
  return () => pRetry(call, { retries: 2 });
}

/** cockatiel's retry, timeout, breaker and bulkhead, composed. */
export async function withCockatiel(): Promise<Work> {
  const call = await raw();
  const policy = wrap(
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    circuitBreaker(handleAll, { halfOpenAfter: 5_000, breaker: new ConsecutiveBreaker(10) }),
    timeout(30_000, TimeoutStrategy.Aggressive),
    bulkhead(64, 256),
  );
  return () => policy.execute(call);
}
