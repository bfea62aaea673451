// BullMQ under torture: Redis with every write synced.
import { createToolQueue, createToolWorker, problemOfReason } from '@mcp-tx/bullmq';
import { startRedis } from '@mcp-tx/testing/services';
import type { RedisOptions } from 'bullmq';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Broker, Flavour, Producer, QueueKind, QueueWorker } from './queue.ts';

/** Jobs of a worker that died come again soon, so that a run of forty kills takes a minute and not an hour. */
const LOCK_MS = 1_000;
const STALLED_MS = 500;
const quiet = (): void => undefined; // a broker that is killed

export const bullmq: QueueKind = {
  async start() {
    const service = await startRedis();
    const address = JSON.stringify({ host: service.host, port: service.port });
    return {
      address,
      service,
      cutConnections: () => cutConnections(address),
      openProducer: (queue, flavour) => openProducer(address, queue, flavour),
    } satisfies Broker;
  },
  async work(address, queue, worker) {
    const running = worker.flavour === 'ours' ? ours(address, queue, worker) : bare(address, queue, worker);
    return { close: () => running.close() };
  },
};

function ours(address: string, name: string, { client, ...rest }: Extract<QueueWorker, { flavour: 'ours' }>) {
  const { concurrency, onEnd } = rest;
  return createToolWorker({
    ...{ name, client, concurrency, connection: connectionTo(address), tools: ['pay'], lockDurationMs: LOCK_MS },
    retryLater: { baseDelayMs: 200, maxDelayMs: 1_000 },
    maxStalledCount: 50,
    worker: { stalledInterval: STALLED_MS, runRetryDelay: 200 },
    onEnd: (_job, { kind }) => onEnd(kind),
  });
}

function bare(address: string, name: string, { client, ...rest }: Extract<QueueWorker, { flavour: 'bare' }>): Worker {
  const { concurrency, onEnd } = rest;
  const processor = async ({ data }: { readonly data: Record<string, unknown> }) =>
    client.callTool({ name: 'pay', arguments: data });
  const worker = new Worker(name, processor, {
    ...{ concurrency, connection: connectionTo(address), lockDuration: LOCK_MS, stalledInterval: STALLED_MS },
    maxStalledCount: 50,
    runRetryDelay: 200,
  });
  worker.on('error', quiet);
  worker.on('completed', () => onEnd('done'));
  worker.on('failed', () => onEnd('failed'));
  return worker;
}

async function openProducer(address: string, name: string, flavour: Flavour): Promise<Producer> {
  const connection = connectionTo(address);
  const tools = createToolQueue({ name, connection, timeoutMs: 30_000 });
  const plain = new Queue(name, { connection });
  plain.on('error', quiet);
  return {
    async put(orders) {
      if (flavour === 'ours') {
        const call = (order: string) => ({ tool: 'pay', args: argsOf(order), idempotencyKey: order });
        await tools.enqueueMany(orders.map(call));
      } else {
        const opts = { attempts: 3, backoff: { type: 'exponential', delay: 200 } };
        await plain.addBulk(
          orders.map((order) => ({ name: 'pay', data: argsOf(order), opts: { ...opts, jobId: order } })),
        );
      }
    },
    async look() {
      const counts = await tools.queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
      const failed = await tools.queue.getFailed(0, -1);
      return {
        pending: Object.values(counts).reduce((sum, count) => sum + count, 0),
        deadLetters: failed.map(({ data, failedReason }) =>
          flavour === 'ours'
            ? { order: String(data.idempotencyKey), problem: problemOfReason(failedReason) }
            : { order: String(data.orderId) },
        ),
      };
    },
    async close() {
      await Promise.all([tools.close(), plain.close()]);
    },
  };
}

/** Connections are made anew after a moment, not after BullMQ's second. */
function connectionTo(address: string): RedisOptions {
  return { ...(JSON.parse(address) as RedisOptions), retryStrategy: () => 100 };
}

function argsOf(order: string): Record<string, unknown> {
  return { orderId: order, amount: 1 };
}

async function cutConnections(address: string): Promise<number> {
  const redis = new Redis({ ...connectionTo(address), maxRetriesPerRequest: 1 });
  redis.on('error', quiet);
  try {
    return Number(await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
  } catch {
    return 0; // it is away
  } finally {
    redis.disconnect();
  }
}
