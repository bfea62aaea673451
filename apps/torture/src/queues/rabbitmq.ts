// RabbitMQ under torture: quorum queues, which a killed broker loses nothing of that it has confirmed.
import type { JobProblem } from '@mcp-tx/core/job';
import { createToolClient, createToolWorker, deadLetterProblem } from '@mcp-tx/rabbitmq';
import type { RabbitmqService } from '@mcp-tx/testing/services';
import { startRabbitmq } from '@mcp-tx/testing/services';
import type { Channel, ChannelModel, ConsumeMessage, RecoveringChannelModel } from 'amqplib';
import { connect } from 'amqplib';
import type { Broker, Flavour, Producer, QueueKind, QueueWorker } from './queue.ts';

/** Short, so that a run of forty kills takes a minute and not an hour. */
const RETRY_DELAYS_MS = [200, 500, 1_000];
const QUORUM = { durable: true, arguments: { 'x-queue-type': 'quorum' } } as const;
const recovery = { initialDelay: 100, maxDelay: 500 } as const;

export const rabbitmq: QueueKind = {
  async start() {
    const service = await startRabbitmq();
    return {
      address: service.url,
      service,
      cutConnections: () => cutConnections(service),
      openProducer: (queue, flavour) => openProducer(service, queue, flavour),
    } satisfies Broker;
  },
  work: (url, queue, worker) => (worker.flavour === 'ours' ? ours(url, queue, worker) : bare(url, queue, worker)),
};

async function ours(
  url: string,
  requests: string,
  { client, concurrency, onEnd }: Extract<QueueWorker, { flavour: 'ours' }>,
): Promise<{ close(): Promise<void> }> {
  const worker = createToolWorker({
    ...{ url, requests, client, tools: ['pay'], prefetch: concurrency, retryDelaysMs: RETRY_DELAYS_MS },
    retryLater: { baseDelayMs: 200, maxDelayMs: 1_000 },
    ...{ deliveryLimit: 50, confirmTimeoutMs: 60_000, graceMs: 5_000 },
    onEnd: ({ kind }) => onEnd(kind),
  });
  await worker.start();
  return worker;
}

/** A worker as the library’s guide has it: takes so many, acknowledges what is done, puts back what failed. */
async function bare(
  url: string,
  queue: string,
  { client, concurrency, onEnd }: Extract<QueueWorker, { flavour: 'bare' }>,
): Promise<{ close(): Promise<void> }> {
  const setup = (model: ChannelModel): Promise<void> =>
    begin(model).catch((error: unknown) => {
      void model.close().catch(() => undefined); // else the library may wait for ever for the answer of a broker that died
      throw error;
    });
  const begin = async (model: ChannelModel): Promise<void> => {
    model.on('error', () => undefined);
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    await channel.assertQueue(queue, QUORUM);
    await channel.prefetch(concurrency);
    const run = async (message: ConsumeMessage): Promise<void> => {
      const done = await client.callTool({ name: 'pay', arguments: JSON.parse(message.content.toString()) }).then(
        () => true,
        () => false,
      );
      onEnd(done ? 'done' : 'failed');
      if (done) channel.ack(message);
      else channel.nack(message);
    };
    await channel.consume(queue, (message) => {
      if (message !== null) run(message).catch(() => undefined); // the channel has gone, and the message comes again
    });
  };
  return withoutErrors(await connect(url, { noDelay: true, recovery: { ...recovery, setup } }));
}

async function openProducer(service: RabbitmqService, queue: string, flavour: Flavour): Promise<Producer> {
  const client = createToolClient({ url: service.url, requests: queue, deliveryLimit: 50, confirmTimeoutMs: 60_000 });
  const connection = withoutErrors(await connect(service.url, { noDelay: true, recovery }));
  const dead = new Map<string, JobProblem | undefined>();
  if (flavour === 'ours') await declareAll(service.url, queue);
  const retries = [`${queue}.again`, ...RETRY_DELAYS_MS.map((delayMs) => `${queue}.retry.${delayMs}`)];
  return {
    async put(orders) {
      if (flavour === 'bare') return putBare(connection, queue, orders);
      const put = (order: string) => client.enqueue('pay', argsOf(order), { idempotencyKey: order });
      await Promise.all(orders.map(put));
    },
    async look() {
      const pending = await messagesIn(service, flavour === 'ours' ? [queue, ...retries] : [queue]);
      if (flavour === 'ours') await takeDead(connection, `${queue}.dead`, dead);
      const deadLetters = [...dead].map(([order, problem]) => (problem === undefined ? { order } : { order, problem }));
      return { pending, deadLetters };
    },
    async close() {
      await Promise.all([client.close(), connection.close()]);
    },
  };
}

/** Before anything is killed: RabbitMQ 3.10 that dies while it declares a quorum queue may never find a leader for it again. */
async function declareAll(url: string, requests: string): Promise<void> {
  const client = () => Promise.reject(new Error('it runs no job'));
  const worker = createToolWorker({
    url,
    requests,
    client,
    tools: [],
    retryDelaysMs: RETRY_DELAYS_MS,
    deliveryLimit: 50,
  });
  await worker.start();
  await worker.close();
}

async function putBare(connection: RecoveringChannelModel, queue: string, orders: readonly string[]): Promise<void> {
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, QUORUM);
  for (const order of orders)
    channel.sendToQueue(queue, Buffer.from(JSON.stringify(argsOf(order))), { persistent: true });
  await channel.waitForConfirms();
  closeChannel(channel);
}

/** Messages are taken out only once they are noted down. */
async function takeDead(
  connection: RecoveringChannelModel,
  queue: string,
  dead: Map<string, JobProblem | undefined>,
): Promise<void> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  for (;;) {
    const message = await channel.get(queue);
    if (message === false) break;
    const { idempotencyKey } = JSON.parse(message.content.toString());
    dead.set(String(idempotencyKey), deadLetterProblem(message));
    channel.ack(message);
  }
  closeChannel(channel);
}

/** What the queues hold at this moment, also what is with a worker: the broker’s statistics are seconds behind. */
async function messagesIn(service: RabbitmqService, queues: readonly string[]): Promise<number> {
  const names = queues.map((queue) => `"${queue}"`).join(', ');
  const total = 'ra:leader_query({list_to_atom("%2F_" ++ Q), node()}, fun rabbit_fifo:query_messages_total/1)';
  const said = await service.control(
    'eval',
    `lists:sum([begin {ok, {_, N}, _} = ${total}, N end || Q <- [${names}]]).`,
  );
  const count = Number(said);
  if (said.trim() === '' || !Number.isInteger(count)) throw new Error(`the broker said: ${said}`);
  return count;
}

async function cutConnections(service: RabbitmqService): Promise<number> {
  try {
    const open = (await service.control('list_connections', 'pid', '--no-table-headers')).trim();
    await service.control('close_all_connections', 'torture');
    return open === '' ? 0 : open.split('\n').length;
  } catch {
    return 0; // it is away
  }
}

/** Nobody waits for that: where the connection is cut meanwhile, the library never says so. */
function closeChannel(channel: Channel): void {
  void channel.close().catch(() => undefined);
}

function withoutErrors(connection: RecoveringChannelModel): RecoveringChannelModel {
  return connection.on('error', () => undefined); // it is killed, and cut
}

function argsOf(order: string): Record<string, unknown> {
  return { orderId: order, amount: 1 };
}
