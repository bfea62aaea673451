// BullMQ: how fast a worker of ours drains a queue, over a worker of BullMQ's own that calls the same tool bare.
import { createToolQueue, createToolWorker } from '@mcp-tx/bullmq';
import { startRedis } from '@mcp-tx/testing/services';
import { Queue, Worker } from 'bullmq';
import type { Comparison, Drain, QueueBench } from './queue-bench.ts';
import type { Subject } from './subject.ts';
import { inMemory, overStdio } from './subject.ts';

const JOBS = { 1: 1_500, 50: 6_000 } as const;
type Concurrency = keyof typeof JOBS;
/** Of every job, here and there: what BullMQ does with a job that has ended is no worker's merit. These are the adapter's own. */
const OPTIONS = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  removeOnComplete: { age: 86_400, count: 10_000 },
};
type Connection = { readonly host: string; readonly port: number };

/** Starts a Redis that syncs nothing, so that what a worker costs can be seen. */
export async function benchBullmq(): Promise<QueueBench> {
  const redis = await startRedis(['--appendonly', 'no']);
  const connection = { host: redis.host, port: redis.port };
  const [memory, stdio] = await Promise.all([inMemory(), overStdio()]);
  const compare = (concurrency: Concurrency, subject: Subject): Pick<Comparison, 'base' | 'contender'> => ({
    base: () => drainBare(connection, concurrency, subject, fillWithCalls),
    contender: () => drainOurs(connection, concurrency, subject),
  });
  const overLean = (concurrency: Concurrency): Pick<Comparison, 'base' | 'contender'> => ({
    base: () => drainBare(connection, concurrency, stdio, fillLean),
    contender: () => drainOurs(connection, concurrency, stdio),
  });
  const bare: Drain = () => drainBare(connection, 50, stdio, fillWithCalls);
  return {
    comparisons: [
      { id: 'bullmq.null', says: 'bare over bare', atLeast: 0.93, atMost: 1.07, base: bare, contender: bare },
      {
        id: 'bullmq.c1',
        says: 'the same jobs, a server over stdio, one at a time',
        atLeast: 0.9,
        ...compare(1, stdio),
      },
      { id: 'bullmq.c50', says: 'the same, 50 at a time', atLeast: 0.9, ...compare(50, stdio) },
      { id: 'bullmq.lean.c1', says: 'over jobs of no more than the text, one at a time', ...overLean(1) },
      { id: 'bullmq.lean.c50', says: 'the same, 50 at a time', ...overLean(50) },
      {
        id: 'bullmq.memory.c1',
        says: 'the same jobs, a tool that costs nothing, one at a time',
        ...compare(1, memory),
      },
      { id: 'bullmq.memory.c50', says: 'the same, 50 at a time', ...compare(50, memory) },
    ],
    async [Symbol.asyncDispose]() {
      await memory[Symbol.asyncDispose]();
      await stdio[Symbol.asyncDispose]();
      await redis.stop();
    },
  };
}

let count = 0;

function queueName(): string {
  count += 1;
  return `bench-${count}`;
}

/** Puts jobs into a queue that is yet to be. */
type Fill = (name: string, connection: Connection, jobs: number) => Promise<void>;

/** What the adapter's producer makes: a key, a tool and its arguments. */
async function fillWithCalls(name: string, connection: Connection, jobs: number): Promise<void> {
  await using queue = createToolQueue({ name, connection, jobs: OPTIONS });
  await queue.enqueueMany(Array.from({ length: jobs }, (_, n) => ({ tool: 'echo', args: { text: `hello ${n}` } })));
}

/** The least that a job can hold: nothing of it says what has been done already. */
async function fillLean(name: string, connection: Connection, jobs: number): Promise<void> {
  const queue = new Queue(name, { connection });
  const job = (n: number) => ({ name: 'echo', data: { arguments: { text: `hello ${n}` } }, opts: OPTIONS });
  await queue.addBulk(Array.from({ length: jobs }, (_, n) => job(n)));
  await queue.close();
}

async function drainBare(
  connection: Connection,
  concurrency: Concurrency,
  { client }: Subject,
  fill: Fill,
): Promise<number> {
  const jobs = JOBS[concurrency];
  const name = queueName();
  await fill(name, connection, jobs);
  const processor = async (job: { readonly data: { readonly arguments: Record<string, unknown> } }) =>
    client.callTool({ name: 'echo', arguments: job.data.arguments });
  return drain(new Worker(name, processor, { connection, concurrency, autorun: false }), jobs);
}

async function drainOurs(connection: Connection, concurrency: Concurrency, { tx }: Subject): Promise<number> {
  const jobs = JOBS[concurrency];
  const name = queueName();
  await fillWithCalls(name, connection, jobs);
  const options = { name, connection, concurrency, client: tx, tools: ['echo'], worker: { autorun: false } };
  return drain(createToolWorker(options).worker, jobs);
}

/** Runs a worker until it has completed so many jobs, and closes it; jobs per second. */
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
  const queue = new Queue(worker.name, { connection: worker.opts.connection });
  await queue.obliterate({ force: true });
  await queue.close();
  return jobs / seconds;
}
