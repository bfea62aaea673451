/** Reads the queue of replies for whoever wants all of them, each until it is done with. */
import type { ConsumeMessage } from 'amqplib';
import { declareQueues } from './declare-queues.ts';
import { flush, Link, tieTo } from './link.ts';
import type { Queues } from './queue-options.ts';

const PREFETCH = 64;

/** Begins to read; the returned function ends that. @throws McpTxError `QUEUE_UNAVAILABLE`, `CONFIG_INVALID` */
export async function readReplies(
  queues: Queues,
  handle: (correlationId: string, content: Buffer) => void | Promise<void>,
): Promise<() => Promise<void>> {
  const link = new Link(queues, async (model) => {
    await declareQueues(model, queues, { side: 'client' });
    const channel = await model.createChannel();
    tieTo(model, channel);
    await channel.prefetch(PREFETCH);
    const onMessage = async (message: ConsumeMessage): Promise<void> => {
      try {
        await handle(String(message.properties.correlationId), message.content);
        channel.ack(message);
      } catch (error) {
        queues.onError(error as Error);
        channel.nack(message, false, true);
      }
    };
    await channel.consume(queues.responses, (message) => {
      if (message === null) void model.close().catch(() => undefined);
      else void onMessage(message).catch(() => undefined); // the channel has gone, and the message with it
    });
    return channel;
  });
  try {
    await link.ready(queues.confirmTimeoutMs);
  } catch (error) {
    await link.close();
    throw error;
  }
  return async () => {
    if (link.session !== undefined) await flush(link.session.parts);
    await link.close();
  };
}
