/** A broker as tests see it: queues of their own, messages put there by strangers, and eyes that look for themselves. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitmqService } from '@mcp-tx/testing/services';
import type { ChannelModel, ConfirmChannel, GetMessage, Options } from 'amqplib';
import { connect } from 'amqplib';

let count = 0;

/** Names of queues that no other test uses. */
export function newQueues(): { readonly requests: string; readonly responses: string } {
  count += 1;
  return { requests: `jobs-${process.pid}-${count}`, responses: `replies-${process.pid}-${count}` };
}

/** Where a client of this broker, or of a wire to it, connects to. */
export function urlOf({ port }: { readonly port: number }): string {
  return `amqp://guest:guest@127.0.0.1:${port}`;
}

/** A connection of the test’s own, through the bare library; made again when the broker was away. */
export class Eyes implements AsyncDisposable {
  readonly #service: RabbitmqService;
  #model: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;

  constructor(service: RabbitmqService) {
    this.#service = service;
  }

  async channel(): Promise<ConfirmChannel> {
    if (this.#channel !== undefined) return this.#channel;
    await this.close();
    this.#model = await connect(this.#service.url, { noDelay: true });
    this.#model.on('error', () => undefined);
    this.#model.on('close', () => this.#forget());
    this.#channel = await this.#model.createConfirmChannel();
    this.#channel.on('error', () => undefined).on('close', () => this.#forget());
    return this.#channel;
  }

  /** Messages that lie in a queue and are with nobody; 0 where there is no such queue. */
  async ready(queue: string): Promise<number> {
    try {
      return (await (await this.channel()).checkQueue(queue)).messageCount;
    } catch (error) {
      if ((error as { readonly code?: number }).code === 404) return 0;
      throw error;
    }
  }

  /** Puts any bytes there, and waits until the broker has them. */
  async put(queue: string, body: string | Buffer, options: Options.Publish = {}): Promise<void> {
    const channel = await this.channel();
    const content = Buffer.from(body as string);
    await new Promise<void>((resolve, reject) => {
      channel.sendToQueue(queue, content, { persistent: true, ...options }, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** Takes everything out of a queue. */
  async drain(queue: string): Promise<readonly GetMessage[]> {
    const channel = await this.channel();
    const taken: GetMessage[] = [];
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (message === false) return taken;
      taken.push(message);
    }
  }

  async close(): Promise<void> {
    const model = this.#model;
    this.#forget();
    await Promise.race([model?.close().catch(() => undefined), sleep(500, undefined, { ref: false })]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #forget(): void {
    this.#model = undefined;
    this.#channel = undefined;
  }
}
