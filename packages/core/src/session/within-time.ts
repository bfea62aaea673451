/** Gives something a limited time. */
import type { AbortSource } from '../runtime/abort-source.ts';
import type { Clock } from '../runtime/clock.ts';
import { sleep } from '../runtime/clock.ts';

/** Runs `act` with a signal that aborts after `timeoutMs`, or with the caller's. Leaves neither timer nor listener behind. */
export async function withinTime<T>(
  clock: Clock,
  timeoutMs: number,
  act: (signal: AbortSignal) => Promise<T>,
  caller?: AbortSource,
): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const timer = clock.timer(timeoutMs, stop);
  caller?.addEventListener('abort', stop, { once: true });
  if (caller?.aborted === true) stop();
  try {
    return await act(controller.signal);
  } finally {
    timer.cancel();
    caller?.removeEventListener('abort', stop);
  }
}

/** Waits for something that cannot be stopped, no longer than `leftMs`; `undefined` when that was too short. */
export function unlessLate<T>(clock: Clock, leftMs: number, act: () => Promise<T>): Promise<T | undefined> {
  if (leftMs <= 0) return Promise.resolve(undefined);
  const done = new AbortController();
  const result = act().finally(() => done.abort());
  const late = sleep(clock, leftMs, done.signal).then((how) => (how === 'elapsed' ? undefined : result));
  return Promise.race([result, late]);
}
