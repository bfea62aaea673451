/** Publishes on one channel, and tells of each message what the broker said of it. */
import { systemClock } from '@mcp-tx/core';
import type { ConfirmChannel, Options } from 'amqplib';

/**
 * What became of a message. `confirmed`: the broker has it, and will have it after a restart. `unroutable`: there is no such queue.
 * `refused`: the queue takes no more. `lost`: the channel was, or the broker said nothing in time; it may have it.
 */
export type Published = 'confirmed' | 'unroutable' | 'refused' | 'lost';

/** A message, as far as it is ours to say: it is always persistent, and has an id that every try of it shares. */
export interface OutgoingMessage {
  readonly queue: string;
  readonly content: Buffer;
  readonly properties: Options.Publish & { readonly messageId: string };
}

/** A confirm channel. */
export class Publisher {
  readonly #channel: ConfirmChannel;
  /** Messages that came back and whose confirmation has not come yet. A return always comes first. */
  readonly #returned = new Map<string, number>();

  constructor(channel: ConfirmChannel) {
    this.#channel = channel;
    channel.on('return', ({ fields, properties }) => this.#count(nameOf(fields.routingKey, properties.messageId), 1));
  }

  /** Publishes once. Rejects only with what is wrong with the message itself. */
  publish({ queue, content, properties }: OutgoingMessage, timeoutMs: number): Promise<Published> {
    return new Promise((resolve, reject) => {
      const timer = systemClock.timer(timeoutMs, () => resolve('lost'));
      const options = { contentType: 'application/json', ...properties, persistent: true, mandatory: true };
      const onConfirm = (error: unknown): void => {
        timer.cancel();
        resolve(this.#verdict(nameOf(queue, properties.messageId), error));
      };
      try {
        this.#channel.publish('', queue, content, options, onConfirm);
      } catch (error) {
        timer.cancel();
        if (isClosed(error)) resolve('lost');
        else reject(error);
      }
    });
  }

  #verdict(name: string, error: unknown): Published {
    if (this.#count(name, -1)) return 'unroutable';
    if (error === null || error === undefined) return 'confirmed';
    return (error as Error).message === 'message nacked' ? 'refused' : 'lost';
  }

  /** Whether it had come back. */
  #count(name: string, by: 1 | -1): boolean {
    const before = this.#returned.get(name) ?? 0;
    if (before + by > 0) this.#returned.set(name, before + by);
    else this.#returned.delete(name);
    return before > 0;
  }
}

function nameOf(queue: string, messageId: string): string {
  return `${messageId} ${queue}`;
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && error.name === 'IllegalOperationError';
}
