/** Owns the connection that messages go out by: publishes over as many connections as it takes, until the broker has said a word. */
import { McpTxError, systemClock } from '@mcp-tx/core';
import type { Side } from './declare-queues.ts';
import { declareQueues } from './declare-queues.ts';
import { Link, tieTo } from './link.ts';
import type { OutgoingMessage, Published } from './publisher.ts';
import { Publisher } from './publisher.ts';
import type { Queues } from './queue-options.ts';

/** How long to try. */
export interface SendOptions {
  readonly timeoutMs: number;
  /** Waits for a broker that is away. Otherwise that is said at once, as long as the broker cannot have the message. */
  readonly patient: boolean;
}

/** A way out. */
export class Sender {
  readonly #link: Link<Publisher>;

  constructor(queues: Queues, side: Side) {
    this.#link = new Link(queues, async (model) => {
      await declareQueues(model, queues, side);
      const channel = await model.createConfirmChannel();
      tieTo(model, channel);
      return new Publisher(channel);
    });
  }

  /** Waits for a connection. @throws McpTxError `QUEUE_UNAVAILABLE`, `CONFIG_INVALID`, `CLOSED` */
  async ready(timeoutMs: number): Promise<void> {
    await this.#link.ready(timeoutMs);
  }

  /** Gives the connection up; the next one declares the queues anew. */
  renew(): void {
    this.#link.session?.renew();
  }

  /**
   * Publishes; each try has the same message id.
   *
   * @throws McpTxError `QUEUE_UNAVAILABLE` (with `execution: 'unknown'` once the broker may have it), `OVERLOADED`, `CLOSED`
   */
  async send(message: OutgoingMessage, { timeoutMs, patient }: SendOptions): Promise<Exclude<Published, 'lost'>> {
    const giveUpAt = systemClock.monotonic() + timeoutMs;
    let mayBeThere = false;
    for (;;) {
      if (this.#link.isBlocked && !patient && !mayBeThere)
        throw new McpTxError('OVERLOADED', 'RabbitMQ takes no messages: it is short of memory or disk');
      const leftMs = Math.max(0, giveUpAt - systemClock.monotonic());
      const session = await this.#link.ready(leftMs, patient || mayBeThere).catch((error: unknown) => {
        throw mayBeThere ? unconfirmed(error) : error;
      });
      const said = await session.parts.publish(message, giveUpAt - systemClock.monotonic());
      if (said !== 'lost') return said;
      mayBeThere = true;
      if (systemClock.monotonic() >= giveUpAt) throw unconfirmed(new Error('it said nothing in time'));
    }
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}

function unconfirmed(cause: unknown): McpTxError {
  const says = `RabbitMQ may have the message and has not said so (${(cause as Error).message}); repeat with the same key`;
  return new McpTxError('QUEUE_UNAVAILABLE', says, { execution: 'unknown', reason: 'unconfirmed', cause });
}
