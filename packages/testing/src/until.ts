/** Waits for what a case is about to see. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds. @throws Error when it does not within `ms` */
export async function until(what: string, holds: () => Promise<boolean> | boolean, ms: number = 5_000): Promise<void> {
  const endsAt = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(10);
  }
}
