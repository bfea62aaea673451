/** Gives up on what takes too long, whether it heeds its signal or not. */
import { McpTxError } from '../outcome/tx-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { withinTime } from '../session/within-time.ts';

/** What else there is to say about something that may take too long. */
export interface InTime<T> {
  /** Gives up earlier. */
  readonly signal?: AbortSignal;
  /** Gets what came after it was given up. */
  readonly onLate?: (value: T) => void;
}

/** Runs `work`, which also rejects when it throws at once. @throws McpTxError `CONNECTION_FAILED` when it was given up */
export function inTime<T>(
  clock: Clock,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  options: InTime<T> = {},
): Promise<T> {
  const { signal: earlier, onLate } = options;
  const act = (signal: AbortSignal): Promise<T> =>
    new Promise((resolve, reject) => {
      let isGivenUp = false;
      const giveUp = (): void => {
        isGivenUp = true;
        reject(
          new McpTxError('CONNECTION_FAILED', `it was given up after ${timeoutMs} ms, or when the pool was closed`),
        );
      };
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      const begun = async (): Promise<T> => work(signal);
      begun().then((value) => (isGivenUp ? onLate?.(value) : resolve(value)), reject);
    });
  return withinTime(clock, timeoutMs, act, earlier);
}
