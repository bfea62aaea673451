/** Owns time: the only way the rest of the engine reads a clock or waits, so that a test can hold time in its hand. */

/** A pending wake-up. Cancelling twice, or after it fired, is harmless. */
export interface Timer {
  cancel(): void;
  /** Whether this timer keeps the process alive; a clock without a process has no such method. */
  hold?(alive: boolean): void;
}

/** Source of time. Durations are milliseconds; instants (`now`) are epoch milliseconds. */
export interface Clock {
  /** Wall time, epoch ms. May step; only ever used for instants that leave the process (`…At`). */
  now(): number;
  /** Milliseconds that never run backwards. Every deadline is measured with it. */
  monotonic(): number;
  /** Calls `wake` once after `delayMs`. A background timer (`background: true`) does not keep the process alive. */
  timer(delayMs: number, wake: () => void, options?: { readonly background?: boolean }): Timer;
}

/** Longest delay that `setTimeout` takes; a longer one would fire at once (HTML standard, 32-bit timers). */
export const MAX_TIMER_MS = 2_147_483_647;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, wake, options) {
    const handle = setTimeout(wake, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    if (options?.background === true) handle.unref();
    return new SystemTimer(handle);
  },
};

/** Waits `delayMs`, or less when `signal` aborts; tells which of the two ended the wait. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<'elapsed' | 'aborted'> {
  if (signal?.aborted === true) return Promise.resolve('aborted');
  return new Promise((resolve) => {
    const onAbort = (): void => {
      timer.cancel();
      resolve('aborted');
    };
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve('elapsed');
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle;
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  hold(alive: boolean): void {
    if (alive) this.#handle.ref();
    else this.#handle.unref();
  }
}
