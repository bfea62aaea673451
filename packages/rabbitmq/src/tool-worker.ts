/** The consumer's side: takes jobs from the queue, so many at once, and gives each back to the broker only once it is done with. */
import { isMcpTxError, systemClock } from '@mcp-tx/core';
import type { ClientSource, JobEnd, JobOptions, ToolJob } from '@mcp-tx/core/job';
import { lazyClient, runJob } from '@mcp-tx/core/job';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { declareQueues } from './declare-queues.ts';
import type { DeliveryKit, DeliverySignals, Verdict } from './job-delivery.ts';
import { deliver } from './job-delivery.ts';
import { flush, Link, tieTo } from './link.ts';
import type { OutgoingMessage } from './publisher.ts';
import type { QueueOptions, Queues } from './queue-options.ts';
import { invalid, queuesOf } from './queue-options.ts';
import { againName, ladderOf } from './retry-ladder.ts';
import { Sender } from './sender.ts';
import { Turnstile } from './turnstile.ts';

/** Options of {@link createToolWorker}. */
export interface ToolWorkerOptions extends QueueOptions, Pick<JobOptions, 'tools' | 'scope' | 'retryLater'> {
  /** What calls the tools. It stays yours: the worker never closes it. */
  readonly client: ClientSource;
  /** Jobs under way at once; those that come back go before those that are new. So many of both are taken ahead. Default 8. */
  readonly prefetch?: number;
  /** Longest run of a job, ms; below the broker's `consumer_timeout`, which is 30 minutes. Default 20 minutes. */
  readonly jobTimeoutMs?: number;
  /** How long `close()` waits for jobs under way, ms. Default 20,000. */
  readonly graceMs?: number;
  /** Delays that jobs can wait for, ms: a queue for each. Default: nine, doubling from 250 to 64,000. */
  readonly retryDelaysMs?: readonly number[];
  /** How long a reply is kept for whoever wants it, ms. Default 24 hours. */
  readonly replyTtlMs?: number;
  /** Hears how each run ended. `job`: `undefined` where the message was none. */
  readonly onEnd?: (end: JobEnd, job: ToolJob | undefined) => void;
}

/** How a worker stands. */
export interface WorkerHealth {
  /** `down`: it has no connection, and tries to get one. */
  readonly status: 'ok' | 'down' | 'draining';
  /** Jobs under way. */
  readonly inFlight: number;
}

/** How long jobs that were told to end may take for it, ms. */
const LAST_WORDS_MS = 2_000;
const FULL_PAUSE_MS = 200;

/** Makes a worker, which takes nothing before `start()`. @throws McpTxError `CONFIG_INVALID` */
export function createToolWorker(options: ToolWorkerOptions): ToolWorker {
  return new ToolWorker(options);
}

interface Consumer {
  readonly channel: Channel;
  readonly cancel: () => Promise<unknown>;
}

/** Runs jobs. Made by {@link createToolWorker}. */
export class ToolWorker implements AsyncDisposable {
  readonly #options: ToolWorkerOptions;
  readonly #queues: Queues;
  readonly #kit: DeliveryKit;
  readonly #sender: Sender;
  readonly #link: Link<Consumer>;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #turnstile: Turnstile;
  #isDraining = false;
  #closing: Promise<void> | undefined;

  /** @internal Use {@link createToolWorker}. */
  constructor(options: ToolWorkerOptions) {
    const retryDelaysMs = ladderOf(options.retryDelaysMs);
    this.#options = options;
    this.#queues = queuesOf(options);
    const { prefetch = 8, replyTtlMs = 86_400_000 } = options;
    if (!(Number.isInteger(prefetch) && prefetch > 0 && prefetch <= 65_535))
      throw invalid('prefetch must be 1 or more');
    if (options.tools === undefined) throw invalid('tools must list what jobs may call');
    this.#turnstile = new Turnstile(prefetch);
    this.#sender = new Sender(this.#queues, { side: 'worker', retryDelaysMs });
    this.#link = new Link(this.#queues, (model, lost) => this.#consume(model, lost, prefetch));
    this.#kit = this.#kitOf(retryDelaysMs, replyTtlMs);
  }

  /** Connects, declares the queues and begins. @throws McpTxError `QUEUE_UNAVAILABLE`, `CONFIG_INVALID`; it is closed then */
  async start(): Promise<void> {
    try {
      await this.#sender.ready(this.#queues.confirmTimeoutMs);
      await this.#link.ready(this.#queues.confirmTimeoutMs);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** How it stands. */
  health(): WorkerHealth {
    const status = this.#isDraining ? 'draining' : this.#link.session === undefined ? 'down' : 'ok';
    return { status, inFlight: this.#inFlight.size };
  }

  /**
   * Takes no more jobs, waits `graceMs` for those under way, and gives the others back: their calls go on without it as far as the
   * client lives, and their next run finds what became of them. Never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= this.#drain(this.#options.graceMs ?? 20_000);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(graceMs: number): Promise<void> {
    this.#isDraining = true;
    await this.#link.session?.parts.cancel().catch(() => undefined);
    await this.#idle(graceMs);
    this.#stop.abort('shutdown');
    await this.#idle(LAST_WORDS_MS);
    if (this.#link.session !== undefined) await flush(this.#link.session.parts.channel);
    await this.#link.close();
    await this.#sender.close();
  }

  /** Waits until no job is under way, at most so long. */
  async #idle(limitMs: number): Promise<void> {
    if (this.#inFlight.size === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = systemClock.timer(limitMs, late.resolve);
    await Promise.race([Promise.all(this.#inFlight), late.promise]);
    timer.cancel();
  }

  async #consume(model: ChannelModel, lost: AbortSignal, prefetch: number): Promise<Consumer> {
    await declareQueues(model, this.#queues, { side: 'worker', retryDelaysMs: this.#kit.retryDelaysMs });
    const channel = await model.createChannel();
    tieTo(model, channel);
    await channel.prefetch(prefetch);
    if (this.#isDraining) return { channel, cancel: async () => undefined };
    const signals = { lost, stop: AbortSignal.any([lost, this.#stop.signal]) };
    const take =
      (cameBack: boolean) =>
      (message: ConsumeMessage | null): void => {
        if (message === null)
          void model.close().catch(() => undefined); // the queue is gone: declare it again
        else this.#take(channel, message, signals, cameBack);
      };
    const { requests } = this.#queues;
    const fresh = await channel.consume(requests, take(false));
    const again = await channel.consume(againName(requests), take(true));
    const cancel = () => Promise.all([fresh, again].map(({ consumerTag }) => channel.cancel(consumerTag)));
    return { channel, cancel };
  }

  /** A job that had no place before the worker was to end goes back. */
  #take(channel: Channel, message: ConsumeMessage, signals: DeliverySignals, cameBack: boolean): void {
    const run = async (): Promise<Verdict> => {
      if (this.#isDraining || signals.lost.aborted) return 'requeue';
      return deliver(message, this.#kit, signals);
    };
    const done = this.#turnstile
      .pass(cameBack, run)
      .catch((error: unknown): Verdict => {
        this.#queues.onError(error as Error);
        return 'requeue';
      })
      .then((verdict) => tell(channel, message, signals.lost.aborted ? 'leave' : verdict))
      .finally(() => this.#inFlight.delete(done));
    this.#inFlight.add(done);
  }

  #kitOf(retryDelaysMs: readonly number[], replyTtlMs: number): DeliveryKit {
    const { client: source, tools, scope, retryLater, onEnd, jobTimeoutMs: timeoutMs = 20 * 60_000 } = this.#options;
    const how = { tools, timeoutMs, ...(scope && { scope }), ...(retryLater && { retryLater }) };
    const client = typeof source === 'function' ? lazyClient(source) : source;
    return {
      ...{ queues: this.#queues, retryDelaysMs, replyTtlMs },
      run: (job, options) => runJob(client, job, { ...how, ...options }),
      onEnd: (end, job) => {
        try {
          onEnd?.(end, job);
        } catch (error) {
          this.#queues.onError(error as Error);
        }
      },
      send: (message, lost) => this.#send(message, lost),
    };
  }

  /** There is no way back to before the call, so this ends when the broker has the message, or the delivery is lost. */
  async #send(message: OutgoingMessage, lost: AbortSignal): Promise<'confirmed' | 'unroutable' | 'lost'> {
    while (!lost.aborted) {
      try {
        const timeoutMs = this.#queues.confirmTimeoutMs;
        const said = await this.#sender.send(message, { timeoutMs, patient: true });
        if (said === 'confirmed' || (said === 'unroutable' && !this.#isOurs(message.queue))) return said;
        if (said === 'unroutable') this.#sender.renew(); // which declares it again
      } catch (error) {
        if (!isMcpTxError(error)) throw error; // the message itself cannot be written
        if (error.code === 'CLOSED') return 'lost';
        this.#queues.onError(error);
      }
      await new Promise<void>((resolve) => void systemClock.timer(FULL_PAUSE_MS, resolve));
    }
    return 'lost';
  }

  #isOurs(queue: string): boolean {
    const { requests, responses, dead } = this.#queues;
    return queue === responses || queue === dead || queue.startsWith(`${requests}.`);
  }
}

/** A delivery is answered once, and only on the channel that it came by. */
function tell(channel: Channel, message: ConsumeMessage, verdict: Verdict): void {
  if (verdict === 'leave') return;
  try {
    if (verdict === 'ack') channel.ack(message);
    else channel.nack(message, false, true);
  } catch {
    // the channel has gone, and the message goes back by itself
  }
}
