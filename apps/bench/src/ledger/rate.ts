// Calls per second of one subject, once its callers are all under way.
import type { Subject } from './subject.ts';

/** The part of a window in which calls begin to be in flight, and are not counted yet. */
const RUN_UP = 0.25;

/** Calls done in each second by so many callers at once, over `windowMs`. */
export async function rateOf(subject: Subject, callers: number, windowMs: number): Promise<number> {
  const startedAt = performance.now();
  const countedFrom = startedAt + windowMs * RUN_UP;
  const until = startedAt + windowMs;
  let done = 0;
  const isOver = (): boolean => performance.now() >= until;
  const onDone = (): void => {
    const now = performance.now();
    if (now >= countedFrom && now < until) done += 1;
  };
  await Promise.all(Array.from({ length: callers }, () => subject.drive(isOver, onDone)));
  return done / ((until - countedFrom) / 1_000);
}
