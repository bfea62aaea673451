/** Hands replies to the calls that wait for them: from a queue of this client’s own, or from one that several clients share. */
import { systemClock } from '@mcp-tx/core';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { declareQueues } from './declare-queues.ts';
import type { Session } from './link.ts';
import { Link, tieTo } from './link.ts';
import type { Queues } from './queue-options.ts';

/** `exclusive`: a queue of the client’s own, which goes with its connection. `shared`: the queue `responses`. */
export type ReplyMode = 'exclusive' | 'shared';

/** Where replies come in; it goes with the connection. */
export interface ReplyPlace {
  readonly queue: string;
}

const SHARED_PREFETCH = 64;
/** How long somebody else’s reply is held before it goes back, ms: else it would come again at once. */
const HOLD_MS = 100;
/** So many own calls are remembered after their end: a second reply to them is for nobody else. */
const REMEMBERED = 10_000;

/** Waits for replies. */
export class ReplyDesk {
  readonly #queues: Queues;
  readonly #mode: ReplyMode;
  readonly #link: Link<ReplyPlace>;
  readonly #waiting = new Map<string, Set<(content: Buffer) => void>>();
  readonly #ours = new Set<string>();

  constructor(queues: Queues, mode: ReplyMode) {
    this.#queues = queues;
    this.#mode = mode;
    this.#link = new Link(queues, (model) => this.#open(model));
  }

  /** The place to be named in requests. @throws McpTxError `QUEUE_UNAVAILABLE`, `CONFIG_INVALID`, `CLOSED` */
  ready(timeoutMs: number, patient: boolean): Promise<Session<ReplyPlace>> {
    return this.#link.ready(timeoutMs, patient);
  }

  /** Hears every reply of that id until the returned function is called. */
  listen(correlationId: string, hear: (content: Buffer) => void): () => void {
    const ears = this.#waiting.get(correlationId) ?? new Set();
    this.#waiting.set(correlationId, ears.add(hear));
    this.#remember(correlationId);
    return () => {
      ears.delete(hear);
      if (ears.size === 0 && this.#waiting.get(correlationId) === ears) this.#waiting.delete(correlationId);
    };
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #open(model: ChannelModel): Promise<ReplyPlace> {
    if (this.#mode === 'shared') await declareQueues(model, this.#queues, { side: 'client' });
    const channel = await model.createChannel();
    tieTo(model, channel);
    if (this.#mode === 'shared') return this.#share(model, channel);
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false });
    const onMessage = (message: ConsumeMessage | null): void => {
      if (message === null) void model.close().catch(() => undefined);
      else this.#hand(message);
    };
    await channel.consume(queue, onMessage, { noAck: true, exclusive: true });
    return { queue };
  }

  /** What is somebody else’s goes back for them. */
  async #share(model: ChannelModel, channel: Channel): Promise<ReplyPlace> {
    const queue = this.#queues.responses;
    await channel.prefetch(SHARED_PREFETCH);
    await channel.consume(queue, (message) => {
      if (message === null) return void model.close().catch(() => undefined);
      if (this.#hand(message)) return tryTo(() => channel.ack(message));
      const putBack = (): void => tryTo(() => channel.nack(message, false, true));
      systemClock.timer(HOLD_MS * (0.5 + Math.random()), putBack, { background: true });
    });
    return { queue };
  }

  /** Whether the reply is for a call of this client. */
  #hand({ content, properties }: ConsumeMessage): boolean {
    const correlationId = String(properties.correlationId);
    for (const hear of this.#waiting.get(correlationId) ?? []) hear(content);
    return this.#ours.has(correlationId);
  }

  #remember(correlationId: string): void {
    this.#ours.delete(correlationId);
    this.#ours.add(correlationId);
    for (const id of this.#ours) {
      if (this.#ours.size <= REMEMBERED || this.#waiting.has(id)) break;
      this.#ours.delete(id);
    }
  }
}

/** A channel that has gone meanwhile gives its messages back by itself. */
function tryTo(act: () => void): void {
  try {
    act();
  } catch {
    // the broker has seen to it
  }
}
