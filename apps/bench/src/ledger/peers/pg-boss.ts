// pg-boss: a job for each call, done when its handler has run.
import { PgBoss } from 'pg-boss';
import type { Subject } from '../subject.ts';
import { oneByOne, tool } from '../subject.ts';

const QUEUE = 'calls';

/** Workers are woken by NOTIFY, and take the next batch at once while batches are full. */
export async function openPgBoss(connectionString: string, max: number): Promise<Subject> {
  const boss = new PgBoss({ connectionString, max, useListenNotify: true });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue(QUEUE, { notify: true });
  const waiting = new Map<number, () => void>();
  await boss.work<{ readonly n: number }>(
    QUEUE,
    { batchSize: 50, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
    async (jobs) => {
      for (const { data } of jobs) {
        await tool();
        waiting.get(data.n)?.();
        waiting.delete(data.n);
      }
    },
  );
  return oneByOne(
    async (n) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(n, resolve);
      await boss.send(QUEUE, { n }, { singletonKey: `order:${n}` });
      await promise;
    },
    () => boss.stop({ graceful: false }),
  );
}
