// BullMQ: how fast a worker of ours drains a queue, over a worker of BullMQ's own that calls the same tool bare.
import { createToolQueue, createToolWorker } from '@mcp-tx/bullmq';
import { startRedis } from '@mcp-tx/testing/services';
import { Queue, Worker } from 'bullmq';
import { echoClient, instance } from '../subjects.ts';
import type { Comparison, Drain, QueueBench } from './queue-bench.ts';

const JOBS = { 1: 400, 50: 2_000 } as const;
type Concurrency = keyof typeof JOBS;

/** Starts a Redis that syncs nothing, so that what a worker costs can be seen. */
export async function benchBullmq(): Promise<QueueBench> {
  const redis = await startRedis(['--appendonly', 'no']);
  const connection = { host: redis.host, port: redis.port };
  const client = await echoClient();
  const tx = await instance({});
  let count = 0;

  const bare =
    (concurrency: Concurrency): Drain =>
    async () => {
      count += 1;
      const name = `bare-${count}`;
      const queue = new Queue(name, { connection });
      const data = (n: number) => ({ text: `hello ${n}` });
      await queue.addBulk(Array.from({ length: JOBS[concurrency] }, (_, n) => ({ name: 'echo', data: data(n) })));
      const processor = async (job: { readonly data: Record<string, unknown> }) =>
        client.callTool({ name: 'echo', arguments: job.data });
      const worker = new Worker(name, processor, { connection, concurrency, autorun: false });
      const rate = await drain(worker, JOBS[concurrency]);
      await queue.obliterate({ force: true });
      await queue.close();
      return rate;
    };

  const ours =
    (concurrency: Concurrency): Drain =>
    async () => {
      count += 1;
      const name = `ours-${count}`;
      const queue = createToolQueue({ name, connection });
      const call = (n: number) => ({ tool: 'echo', args: { text: `hello ${n}` } });
      await queue.enqueueMany(Array.from({ length: JOBS[concurrency] }, (_, n) => call(n)));
      const options = { name, connection, concurrency, client: tx, tools: ['echo'], worker: { autorun: false } };
      const rate = await drain(createToolWorker(options).worker, JOBS[concurrency]);
      await queue.queue.obliterate({ force: true });
      await queue.close();
      return rate;
    };

  const compare = (concurrency: Concurrency): Comparison => ({
    id: `bullmq.c${concurrency}`,
    says: `a tool worker, ${concurrency} at a time, over a bare one`,
    atLeast: 0.9,
    base: bare(concurrency),
    contender: ours(concurrency),
  });
  return {
    comparisons: [
      {
        id: 'bullmq.null',
        says: 'a bare worker, 50 at a time, over itself',
        ...{ atLeast: 0.93, atMost: 1.07, base: bare(50), contender: bare(50) },
      },
      compare(1),
      compare(50),
    ],
    async [Symbol.asyncDispose]() {
      await tx.close();
      await client.close();
      await redis.stop();
    },
  };
}

/** Runs a worker until it has completed so many jobs, and closes it. */
async function drain(worker: Worker, jobs: number): Promise<number> {
  await worker.waitUntilReady();
  const startedAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    let completed = 0;
    worker.on('completed', () => {
      completed += 1;
      if (completed === jobs) resolve();
    });
    worker.on('failed', (_job, error) => reject(error));
    worker.run().catch(reject);
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  await worker.close();
  return jobs / seconds;
}
