// graphile-worker: a job for each call, done when its task has run.
import { Logger, run } from 'graphile-worker';
import type pg from 'pg';
import type { Subject } from '../subject.ts';
import { oneByOne, tool } from '../subject.ts';

/** With the settings that its guide to performance names. */
export async function openGraphileWorker(pgPool: pg.Pool): Promise<Subject> {
  const waiting = new Map<number, () => void>();
  const runner = await run({
    pgPool,
    concurrency: 50,
    noHandleSignals: true,
    pollInterval: 100,
    logger: new Logger(() => () => undefined),
    preset: { worker: { localQueue: { size: 100 }, completeJobBatchDelay: 0 } },
    taskList: {
      charge: async (payload) => {
        const { n } = payload as { readonly n: number };
        await tool();
        waiting.get(n)?.();
        waiting.delete(n);
      },
    },
  });
  return oneByOne(
    async (n) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(n, resolve);
      await runner.addJob('charge', { n }, { jobKey: `order:${n}` });
      await promise;
    },
    () => runner.stop().then(() => pgPool.end()),
  );
}
