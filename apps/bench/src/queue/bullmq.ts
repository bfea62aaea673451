// BullMQ: how fast a worker of ours drains a queue, over a worker of BullMQ's own that calls the same tool bare.
import { createToolQueue, createToolWorker } from '@mcp-tx/bullmq';
import { startRedis } from '@mcp-tx/testing/services';
import { Queue, Worker } from 'bullmq';
import type { FloorAnswer } from '../floor.ts';
import { openFloor } from '../floor.ts';
import type { Drain, QueueBench } from './queue-bench.ts';
import type { Subject } from './subject.ts';
import { inMemory, overStdio } from './subject.ts';

const JOBS = { 1: 1_000, 50: 4_000 } as const;
type Concurrency = keyof typeof JOBS;
/** Of every job, here and there: what BullMQ does with a job that has ended is no worker's merit. These are the adapter's own. */
const OPTIONS = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  removeOnComplete: { age: 86_400, count: 10_000 },
};
const BARE = 'over a bare worker that keeps nothing; a server over stdio';
const FLOOR = 'over a bare worker that keeps a record of each call; a server over stdio';
type Connection = { readonly host: string; readonly port: number };

/** Starts a Redis that syncs nothing, so that what a worker costs can be seen. */
export async function benchBullmq(): Promise<QueueBench> {
  const redis = await startRedis(['--appendonly', 'no']);
  const connection = { host: redis.host, port: redis.port };
  const [memory, stdio] = await Promise.all([inMemory(), overStdio()]);
  const bare = (concurrency: Concurrency, subject: Subject): Drain => {
    return () => drainBare(connection, concurrency, processorOf(subject));
  };
  const floor =
    (concurrency: Concurrency): Drain =>
    () =>
      drainBare(connection, concurrency, keepingProcessorOf(stdio));
  const ours =
    (concurrency: Concurrency, subject: Subject): Drain =>
    () =>
      drainOurs(connection, concurrency, subject);
  return {
    comparisons: [
      {
        ...{ id: 'bullmq.null', says: 'bare over bare', atLeast: 0.93, atMost: 1.07 },
        ...{ base: bare(50, stdio), contender: bare(50, stdio) },
      },
      {
        ...{ id: 'bullmq.c1.overFloor', says: `${FLOOR}, one at a time` },
        ...{ base: floor(1), contender: ours(1, stdio) },
      },
      {
        ...{ id: 'bullmq.c50.overFloor', says: 'the same, 50 at a time' },
        ...{ base: floor(50), contender: ours(50, stdio) },
      },
      {
        ...{ id: 'bullmq.c1', says: `${BARE}, one at a time`, atLeast: 0.9 },
        ...{ base: bare(1, stdio), contender: ours(1, stdio) },
      },
      {
        ...{ id: 'bullmq.c50', says: 'the same, 50 at a time', atLeast: 0.9 },
        ...{ base: bare(50, stdio), contender: ours(50, stdio) },
      },
      {
        ...{ id: 'bullmq.memory.c1', says: 'the same, a tool that costs nothing, one at a time' },
        ...{ base: bare(1, memory), contender: ours(1, memory) },
      },
      {
        ...{ id: 'bullmq.memory.c50', says: 'the same, 50 at a time' },
        ...{ base: bare(50, memory), contender: ours(50, memory) },
      },
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

/** What the adapter's producer makes: a key, a tool and its arguments. */
async function fill(name: string, connection: Connection, jobs: number): Promise<void> {
  await using queue = createToolQueue({ name, connection, jobs: OPTIONS });
  await queue.enqueueMany(Array.from({ length: jobs }, (_, n) => ({ tool: 'echo', args: { text: `hello ${n}` } })));
}

/** A job, as far as a bare processor reads it. */
interface CallJob {
  readonly data: { readonly idempotencyKey: string; readonly arguments: Record<string, unknown> };
}
type CallProcessor = (job: CallJob) => Promise<unknown>;

function processorOf({ client }: Subject): CallProcessor {
  return async (job) => client.callTool({ name: 'echo', arguments: job.data.arguments });
}

/** What a repeat of the job would need to be recognised is kept, and told as a worker of ours tells it. */
function keepingProcessorOf({ client }: Subject): CallProcessor {
  const floor = openFloor();
  return async ({ data: { idempotencyKey, arguments: args } }) =>
    replyOf(await floor(idempotencyKey, args, () => client.callTool({ name: 'echo', arguments: args })));
}

function replyOf({ result, meta: { attempts, requestId, operationId }, durationMs }: FloorAnswer) {
  const promises = { guarantee: 'at-most-once', dedupeScope: 'process', durability: 'process' };
  const rounded = Math.round(durationMs * 1_000) / 1_000;
  const meta = { duplicate: false, attempts, requestId, operationId, ...promises, durationMs: rounded };
  return { v: 1, ok: true, result, meta, totalAttempts: attempts };
}

async function drainBare(connection: Connection, concurrency: Concurrency, processor: CallProcessor): Promise<number> {
  const jobs = JOBS[concurrency];
  const name = queueName();
  await fill(name, connection, jobs);
  return drain(new Worker(name, processor, { connection, concurrency, autorun: false }), jobs);
}

async function drainOurs(connection: Connection, concurrency: Concurrency, { tx }: Subject): Promise<number> {
  const jobs = JOBS[concurrency];
  const name = queueName();
  await fill(name, connection, jobs);
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
