/** Declares the queues, or looks whether they are there, and says what is wrong when they are not as they have to be. */
import type { ChannelModel, Options } from 'amqplib';
import type { Queues } from './queue-options.ts';
import { invalid } from './queue-options.ts';
import { againName, rungName } from './retry-ladder.ts';

/** Who needs them: a client has no use for the queues of jobs that wait. */
export type Side = { readonly side: 'client' } | { readonly side: 'worker'; readonly retryDelaysMs: readonly number[] };

/** What a quorum queue needs to hand a message on without ever losing it between two queues. */
const NEVER_LOSING = { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' } as const;

/** Newer brokers drop what was looked at and put back twenty times, unless told another number. */
const NEVER_DROPPING = { 'x-delivery-limit': 1_000_000_000 } as const;

/** @throws McpTxError `CONFIG_INVALID` when a queue is missing, or is there with other arguments */
export async function declareQueues(model: ChannelModel, queues: Queues, side: Side): Promise<void> {
  const { requests, responses, dead } = queues;
  const declare = (name: string, options: Options.AssertQueue): Promise<void> =>
    declareOne(model, queues.declare, name, options);
  await declare(dead, plain(queues, NEVER_DROPPING));
  await declare(requests, plain(queues, backstop(queues)));
  await declare(responses, plain(queues, NEVER_DROPPING));
  if (side.side === 'client') return;
  await declare(againName(requests), plain(queues, backstop(queues)));
  for (const delayMs of side.retryDelaysMs) await declare(rungName(requests, delayMs), rung(queues, delayMs));
}

/** A classic queue has no arguments: so does the Python original declare it. */
function plain({ queueType }: Queues, args: Readonly<Record<string, unknown>>): Options.AssertQueue {
  if (queueType === 'classic') return { durable: true };
  return { durable: true, arguments: { 'x-queue-type': 'quorum', ...args } };
}

/** A job that ends every worker which takes it comes no more. */
function backstop({ dead, deliveryLimit }: Queues): Readonly<Record<string, unknown>> {
  return { 'x-delivery-limit': deliveryLimit, ...handingOnTo(dead), ...NEVER_LOSING };
}

/** Jobs lie here for so long, and then come back. */
function rung({ requests, queueType }: Queues, delayMs: number): Options.AssertQueue {
  const args = { 'x-message-ttl': delayMs, ...handingOnTo(againName(requests)) };
  const quorum = queueType === 'quorum' ? { 'x-queue-type': 'quorum', ...NEVER_LOSING } : {};
  return { durable: true, arguments: { ...args, ...quorum } };
}

function handingOnTo(queue: string): Readonly<Record<string, unknown>> {
  return { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': queue };
}

/** On a channel of its own, for a refusal closes it. */
async function declareOne(
  model: ChannelModel,
  declare: boolean,
  name: string,
  options: Options.AssertQueue,
): Promise<void> {
  const channel = await model.createChannel();
  channel.on('error', () => undefined); // the promise below says it
  try {
    if (declare) await channel.assertQueue(name, options);
    else await channel.checkQueue(name);
  } catch (error) {
    const { code, message } = error as { readonly code?: number; readonly message: string };
    if (code === 406) throw invalid(`the queue ${name} is there with other arguments (${message})`);
    if (code === 403 || code === 404 || code === 405) throw invalid(`the queue ${name} cannot be used (${message})`);
    throw error;
  }
  await channel.close();
}
