// RabbitMQ: jobs through quorum queues, one in flight and from a full queue, over the bare library that calls the same tool.
import { createToolClient, createToolWorker } from '@mcp-tx/rabbitmq';
import { startRabbitmq } from '@mcp-tx/testing/services';
import type { ConfirmChannel, SocketOptions } from 'amqplib';
import { connect } from 'amqplib';
import type { Comparison, Drain, QueueBench } from './queue-bench.ts';
import type { Subject as Tool } from './subject.ts';
import { inMemory, overStdio } from './subject.ts';

const ONE_BY_ONE = 30;
const FULL = 2_000;
const DEFAULTS: SocketOptions = {};
const NO_DELAY: SocketOptions = { noDelay: true };
const QUORUM = { durable: true, arguments: { 'x-queue-type': 'quorum' } } as const;

/** Jobs of one subject: puts one there, and hears of each that is done. */
interface Line extends AsyncDisposable {
  put(n: number): Promise<unknown>;
  /** Takes jobs, so many at once. */
  work(prefetch: number, onDone: () => void): Promise<void>;
}

type Open = () => Promise<Line>;

/** Starts a broker whose disk is memory where the machine has that: what a client costs shall be seen. */
export async function benchRabbitmq(): Promise<QueueBench> {
  const broker = await startRabbitmq();
  const [near, far] = [await inMemory(), await overStdio()];
  let count = 0;
  const bare = (tool: Tool, socket: SocketOptions) => () => openBare(broker.url, `bare-${++count}`, socket, tool);
  const ours = (tool: Tool) => () => openOurs(broker.url, `ours-${++count}`, tool);
  const drains = (id: string, prefetch: number, tool: Tool, where: string): Comparison => ({
    id,
    says: `a tool worker, ${prefetch} at a time, over a bare one without delay; the tool ${where}`,
    ...{ base: fromFull(bare(tool, NO_DELAY), prefetch), contender: fromFull(ours(tool), prefetch) },
  });
  return {
    comparisons: [
      {
        id: 'rabbitmq.defaults',
        says: 'confirmed, run and acknowledged one by one, over amqplib’s defaults',
        ...{ atLeast: 20, base: oneByOne(bare(near, DEFAULTS)), contender: oneByOne(ours(near)) },
      },
      drains('rabbitmq.c1', 1, far, 'in a process of its own'),
      drains('rabbitmq.c50', 50, far, 'in a process of its own'),
      drains('rabbitmq.memory.c50', 50, near, 'costs nothing'),
    ],
    async [Symbol.asyncDispose]() {
      for (const tool of [near, far]) await tool[Symbol.asyncDispose]();
      await broker.stop();
    },
  };
}

/** Jobs in each second where each is put there when the former is done. */
function oneByOne(open: Open): Drain {
  return async () => {
    await using subject = await open();
    let done = (): void => undefined;
    await subject.work(1, () => done());
    const startedAt = performance.now();
    for (let n = 0; n < ONE_BY_ONE; n += 1) {
      const isDone = new Promise<void>((resolve) => {
        done = resolve;
      });
      await Promise.all([subject.put(n), isDone]);
    }
    return (ONE_BY_ONE * 1_000) / (performance.now() - startedAt);
  };
}

/** Jobs in each second from a queue that was full before. */
function fromFull(open: Open, prefetch: number): Drain {
  return async () => {
    await using subject = await open();
    await Promise.all(Array.from({ length: FULL }, (_, n) => subject.put(n)));
    let firstAt = 0; // from here on: connecting is not draining
    await new Promise<void>((resolve, reject) => {
      let left = FULL;
      const onDone = (): void => {
        if (left === FULL) firstAt = performance.now();
        left -= 1;
        if (left === 0) resolve();
      };
      subject.work(prefetch, onDone).catch(reject);
    });
    return ((FULL - 1) * 1_000) / (performance.now() - firstAt);
  };
}

async function openOurs(url: string, requests: string, { tx: client }: Tool): Promise<Line> {
  const queues = { url, requests, retryDelaysMs: [1_000] };
  const jobs = createToolClient(queues);
  await jobs.initialize();
  let worker: ReturnType<typeof createToolWorker> | undefined;
  return {
    put: (n) => jobs.enqueue('echo', { text: `hello ${n}` }),
    async work(prefetch, onDone) {
      const onEnd = ({ kind }: { readonly kind: string }): void => {
        if (kind === 'acknowledge') onDone();
      };
      worker = createToolWorker({ ...queues, client, tools: ['echo'], prefetch, onEnd });
      await worker.start();
    },
    async [Symbol.asyncDispose]() {
      await worker?.close();
      await jobs.close();
    },
  };
}

async function openBare(url: string, queue: string, socket: SocketOptions, { client }: Tool): Promise<Line> {
  const connection = await connect(url, socket);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, QUORUM);
  return {
    put: (n) => putBare(channel, queue, n),
    async work(prefetch, onDone) {
      await channel.prefetch(prefetch);
      await channel.consume(queue, async (message) => {
        if (message === null) return;
        await client.callTool({ name: 'echo', arguments: JSON.parse(message.content.toString()) });
        channel.ack(message);
        onDone();
      });
    },
    async [Symbol.asyncDispose]() {
      await channel.deleteQueue(queue);
      await connection.close();
    },
  };
}

function putBare(channel: ConfirmChannel, queue: string, n: number): Promise<void> {
  const content = Buffer.from(JSON.stringify({ text: `hello ${n}` }));
  return new Promise((resolve, reject) => {
    channel.sendToQueue(queue, content, { persistent: true }, (error) => (error ? reject(error) : resolve()));
  });
}
