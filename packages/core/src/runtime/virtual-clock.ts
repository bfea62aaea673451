/** A clock that stands still until it is told to go on: for tests and simulations of everything that waits. */
import type { Clock, Timer } from './clock.ts';

/** A clock in the hand of a test. */
export interface VirtualClock extends Clock {
  /** Lets `ms` pass: every timer that falls due fires at its own time, and all that follows from it happens before the next. */
  advance(ms: number): Promise<void>;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Timers that have neither fired nor been cancelled. */
  readonly pending: number;
}

interface Entry extends Timer {
  readonly at: number;
  readonly wake: () => void;
}

/** Begins at the instant `startAt`, epoch ms. */
export function virtualClock(startAt = 1_800_000_000_000): VirtualClock {
  let elapsed = 0;
  const timers = new Set<Entry>();
  const next = (): Entry | undefined => {
    let soonest: Entry | undefined;
    for (const timer of timers) if (soonest === undefined || timer.at < soonest.at) soonest = timer;
    return soonest;
  };
  return {
    now: () => startAt + elapsed,
    monotonic: () => elapsed,
    timer(delayMs, wake) {
      const entry: Entry = { at: elapsed + Math.max(0, delayMs), wake, cancel: () => void timers.delete(entry) };
      timers.add(entry);
      return entry;
    },
    async advance(ms) {
      const until = elapsed + ms;
      await macrotask();
      for (let due = next(); due !== undefined && due.at <= until; due = next()) {
        timers.delete(due);
        elapsed = Math.max(elapsed, due.at);
        due.wake();
        await macrotask();
      }
      elapsed = until;
    },
    settle: macrotask,
    get pending() {
      return timers.size;
    },
  };
}

/** All microtasks that are waiting, and those that they make, run before this resolves. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
