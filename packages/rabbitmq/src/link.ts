/** Owns one connection: makes it, makes it again when it is lost, and sets up on each what its user needs there. */
import { isMcpTxError, McpTxError, systemClock } from '@mcp-tx/core';
import type { Channel, ChannelModel, RecoveringChannelModel, RecoveryOptions } from 'amqplib';
import { connect } from 'amqplib';
import type { Queues } from './queue-options.ts';
import { invalid } from './queue-options.ts';

/** What is there as long as a connection is. */
export interface Session<Parts> {
  readonly parts: Parts;
  /** Aborted when the connection is lost, or given up. */
  readonly lost: AbortSignal;
  /** Gives the connection up, so that another one is made and set up. */
  renew(): void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 2_000;
const HEARTBEAT_S = 10;
const CLOSE_TIMEOUT_MS = 2_000;

/** A connection that is made again. `setUp` runs on each: channels, queues, consumers. */
export class Link<Parts> {
  readonly #queues: Queues;
  readonly #setUp: (model: ChannelModel, lost: AbortSignal) => Promise<Parts>;
  readonly #waiting = new Set<() => void>();
  #connection: Promise<RecoveringChannelModel> | undefined;
  #session: Session<Parts> | undefined;
  #lose: (() => void) | undefined;
  #failure: McpTxError | undefined;
  #lastError: Error | undefined;
  #isTrying = true;
  #isBlocked = false;
  #isClosed = false;

  constructor(queues: Queues, setUp: (model: ChannelModel, lost: AbortSignal) => Promise<Parts>) {
    this.#queues = queues;
    this.#setUp = setUp;
  }

  /** What is there now. */
  get session(): Session<Parts> | undefined {
    return this.#session;
  }

  /** The broker takes no messages, for it is short of memory or disk. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /**
   * Waits for a connection. `patient: false`: not longer than the try that is under way.
   *
   * @throws McpTxError `QUEUE_UNAVAILABLE`, `CONFIG_INVALID`, `CLOSED`
   */
  async ready(timeoutMs: number, patient = true): Promise<Session<Parts>> {
    const giveUpAt = systemClock.monotonic() + timeoutMs;
    this.#connection ??= this.#connect();
    for (;;) {
      if (this.#isClosed) throw this.#failure ?? new McpTxError('CLOSED', 'this end of the queue is closed');
      if (this.#session !== undefined) return this.#session;
      const leftMs = giveUpAt - systemClock.monotonic();
      if (leftMs <= 0 || !(patient || this.#isTrying)) throw this.#notConnected();
      await this.#change(leftMs);
    }
  }

  /** Ends the connection. What was not confirmed is lost. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const connection = await this.#connection;
    const closed = connection?.close().catch(() => undefined);
    await Promise.race([closed, this.#change(CLOSE_TIMEOUT_MS, { alone: true })]);
    this.#end();
  }

  async #connect(): Promise<RecoveringChannelModel> {
    const { url, socket } = this.#queues;
    const recovery: RecoveryOptions = {
      initialDelay: 100,
      maxDelay: LONGEST_PAUSE_MS,
      jitter: 0.5,
      waitForConnect: false,
      setup: (model: ChannelModel) => this.#begin(model),
    };
    const options = { timeout: CONNECT_TIMEOUT_MS, keepAlive: true, ...socket, noDelay: true, recovery };
    const connection = await connect(withHeartbeat(url), options);
    connection.on('error', () => undefined); // `disconnect` says it, too
    connection.on('disconnect', (error) => this.#end(error));
    connection.on('connect-failed', (error) => this.#failed(connection, error));
    connection.on('reconnect-scheduled', () => this.#set({ isTrying: false }));
    connection.on('connect', () => this.#tell());
    return connection;
  }

  /** Sets a new connection up. What fails here is tried again with another one. */
  async #begin(model: ChannelModel): Promise<void> {
    const lost = new AbortController();
    const end = (): void => lost.abort();
    model.on('error', () => undefined); // `close` comes after it
    model.once('close', end);
    model.on('blocked', () => this.#set({ isBlocked: true }));
    model.on('unblocked', () => this.#set({ isBlocked: false }));
    this.#isBlocked = false;
    try {
      const parts = await whileConnected(this.#setUp(model, lost.signal), lost.signal);
      this.#lose = end;
      this.#session = { parts, lost: lost.signal, renew: () => void model.close().catch(() => undefined) };
    } catch (error) {
      end();
      // The library would now wait for the broker's answer to its own close, also from one that has died meanwhile; a connection
      // that is being closed already it leaves alone.
      void model.close().catch(() => undefined);
      throw error;
    }
  }

  #end(error?: Error): void {
    this.#lose?.();
    this.#session = undefined;
    this.#isBlocked = false;
    this.#lastError = error ?? this.#lastError;
    this.#tell();
    if (error !== undefined && !this.#isClosed) this.#queues.onError(error);
  }

  /** A broker that cannot be reached is tried again; one that says no at the first time is believed. */
  #failed(connection: RecoveringChannelModel, error: Error): void {
    const refusal = isMcpTxError(error) ? error : refusalOf(error);
    if (refusal !== undefined && this.#lose === undefined) {
      this.#failure = refusal;
      this.#isClosed = true;
      void connection.close().catch(() => undefined);
    }
    this.#end(error);
  }

  #notConnected(): McpTxError {
    const why = this.#lastError === undefined ? 'it does not answer' : this.#lastError.message;
    const details = { reason: 'broker', ...(this.#lastError === undefined ? {} : { cause: this.#lastError }) };
    return new McpTxError('QUEUE_UNAVAILABLE', `RabbitMQ cannot be reached: ${why}`, details);
  }

  #set({ isTrying = this.#isTrying, isBlocked = this.#isBlocked }): void {
    this.#isTrying = isTrying;
    this.#isBlocked = isBlocked;
    this.#tell();
  }

  #tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when something has changed, at the latest after so long. */
  #change(limitMs: number, { alone = false } = {}): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = systemClock.timer(limitMs, wake, { background: alone });
      if (!alone) this.#waiting.add(wake);
    });
  }
}

/** Not everything that is asked of the library ends with the connection: an end of a channel never does. */
function whileConnected<Parts>(setUp: Promise<Parts>, lost: AbortSignal): Promise<Parts> {
  const ended = Promise.withResolvers<never>();
  const onLost = (): void => ended.reject(new Error('the connection was lost while it was set up'));
  lost.addEventListener('abort', onLost, { once: true });
  return Promise.race([setUp, ended.promise]).finally(() => lost.removeEventListener('abort', onLost));
}

/** Ends the connection with the channel: a channel that is lost is made again with everything else. */
export function tieTo(model: ChannelModel, channel: Channel): void {
  channel.on('error', () => undefined); // `close` comes after it
  channel.once('close', () => void model.close().catch(() => undefined));
}

/** Ends a channel once the broker has everything that went over it: the end of a connection overtakes what its channels still hold. */
export async function flush(channel: Channel): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = systemClock.timer(CLOSE_TIMEOUT_MS, late.resolve);
  await Promise.race([channel.close().catch(() => undefined), late.promise]);
  timer.cancel();
}

/** Half-open connections are noticed within twenty seconds, where nothing else is said. */
function withHeartbeat(url: Queues['url']): Queues['url'] {
  if (typeof url !== 'string') return { heartbeat: HEARTBEAT_S, ...url };
  if (/[?&]heartbeat=/.test(url)) return url;
  return `${url}${url.includes('?') ? '&' : '?'}heartbeat=${HEARTBEAT_S}`;
}

function refusalOf(error: Error): McpTxError | undefined {
  return error.message.includes('ACCESS_REFUSED') || error.message.includes('ACCESS-REFUSED')
    ? invalid(`the broker refuses the login (${error.message})`)
    : undefined;
}
