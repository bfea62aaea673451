/** A connection that we open ourselves: on demand, one attempt at a time, again after it was lost, at a growing distance. */
import type { Sending, SendRequest } from '../engine/tool-caller.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import { backoffMs } from '../policy/backoff.ts';
import { factsOf } from '../policy/observation.ts';
import { inCleanContext } from '../runtime/clean-context.ts';
import { sleep } from '../runtime/clock.ts';
import { LiveClient } from './live-client.ts';
import type { McpClientLike, ToolDefinition } from './mcp-client.ts';
import { checkAlive } from './mcp-client.ts';
import type { OperationStatus } from './operation-status.ts';
import { operationStatusOn } from './operation-status.ts';
import type { ConnectionContext, ConnectionState, ServerConnection, TaskStatus } from './server-source.ts';
import type { Tap } from './tap.ts';
import { taskStatusOn } from './task-status.ts';
import { unsent } from './unsent.ts';

/** Connects a fresh client; `currentTap` lets an HTTP transport's fetch find the send that a body belongs to. */
export type Connect = (
  currentTap: () => Tap | undefined,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<McpClientLike>;

/** Waits between connection attempts. The first one after a loss comes at once. */
const RECONNECT = { baseDelayMs: 100, maxDelayMs: 10_000, backoffMultiplier: 2, jitter: 'full' } as const;
const PROBE_TIMEOUT_MS = 2_000;

/** See {@link ServerConnection}. */
export class OwnedConnection implements ServerConnection {
  readonly #connect: Connect;
  readonly #context: ConnectionContext;
  #live: LiveClient | undefined;
  /** Of sessions that have expired, with sends that may still be answered. */
  readonly #retired = new Set<LiveClient>();
  #connecting: Promise<LiveClient> | undefined;
  #closing: Promise<void> | undefined;
  readonly #abort = new AbortController();
  #failures = 0;
  #notBefore = 0;
  #generation = 0;

  constructor(connect: Connect, context: ConnectionContext) {
    this.#connect = connect;
    this.#context = context;
  }

  get state(): ConnectionState {
    if (this.#closing !== undefined) return 'closed';
    if (this.#live !== undefined) return 'ready';
    if (this.#connecting !== undefined) return 'connecting';
    return this.#failures > 0 ? 'down' : 'idle';
  }

  get generation(): number {
    return this.#generation;
  }

  get speaksMcpTx(): boolean {
    return this.#live?.speaksMcpTx ?? false;
  }

  isReady(unsafe: boolean): boolean {
    return this.#live !== undefined && !(unsafe && this.#isSuspect(this.#live));
  }

  async makeReady(unsafe: boolean, signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < 2; tries += 1) {
      const live = await this.#client(signal);
      if (!unsafe || !this.#isSuspect(live) || (await this.#isAlive(live)) || live.isBusy) return;
      await this.#drop(live);
    }
  }

  send(request: SendRequest): Sending {
    return this.#live?.send(request) ?? unsent('Not connected');
  }

  async recover(what: 'auth' | 'session'): Promise<void> {
    const live = this.#live;
    if (what !== 'session' || live?.hasLostSession !== true) return; // another call has begun a new session already
    this.#live = undefined;
    this.#retired.add(live);
    void live.retire().then(() => this.#retired.delete(live));
  }

  async listTools(signal: AbortSignal): Promise<readonly ToolDefinition[]> {
    return this.#ask(signal, (live) => live.listTools(this.#options(signal)));
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#ask(signal, (live) => checkAlive(live.client, { signal, timeout: PROBE_TIMEOUT_MS }));
  }

  async taskStatus(taskId: string, signal: AbortSignal): Promise<TaskStatus> {
    return this.#ask(signal, (live) => taskStatusOn(live.client, taskId, this.#options(signal)));
  }

  async operationStatus(operationId: string, signal: AbortSignal): Promise<OperationStatus> {
    return this.#ask(signal, async (live) =>
      live.speaksMcpTx ? operationStatusOn(live.client, operationId, this.#options(signal)) : { state: 'unaware' },
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#abort.abort();
    await this.#connecting?.catch(() => undefined);
    const live = this.#live;
    this.#live = undefined;
    const all = live === undefined ? this.#retired : new Set([...this.#retired, live]);
    await Promise.all([...all].map(({ client }) => client.close().catch(() => undefined)));
  }

  #options(signal: AbortSignal): { readonly signal: AbortSignal; readonly timeout: number } {
    return { signal, timeout: this.#context.connectTimeoutMs };
  }

  async #ask<T>(signal: AbortSignal, question: (live: LiveClient) => Promise<T>): Promise<T> {
    const live = await this.#client(signal);
    try {
      return await question(live);
    } catch (error) {
      const { message } = factsOf(error);
      throw new McpTxError('CONNECTION_FAILED', `the server did not answer: ${message}`, { cause: error });
    }
  }

  /** Silent for long. A server that is at work on a call may well be silent, and must not be disturbed in it. */
  #isSuspect(live: LiveClient): boolean {
    return !live.isBusy && live.idleMs > this.#context.probeIfIdleMs;
  }

  async #isAlive(live: LiveClient): Promise<boolean> {
    try {
      await checkAlive(live.client, { timeout: PROBE_TIMEOUT_MS });
      live.touch();
      return !live.isClosed;
    } catch {
      return false;
    }
  }

  /** The connected client; all who ask meanwhile share one attempt to connect, and each may stop waiting by itself. */
  #client(signal: AbortSignal): Promise<LiveClient> {
    if (this.#closing !== undefined) return Promise.reject(new McpTxError('CLOSED', 'the connection is closed'));
    if (this.#live !== undefined) return Promise.resolve(this.#live);
    if (signal.aborted) return Promise.reject(new McpTxError('CONNECTION_FAILED', 'the caller stopped waiting'));
    this.#connecting ??= inCleanContext(() => this.#open()).finally(() => {
      this.#connecting = undefined;
    });
    const connecting = this.#connecting;
    connecting.catch(() => undefined); // those who wait hear of it; nobody may wait any more
    return new Promise((resolve, reject) => {
      const stop = (): void =>
        reject(new McpTxError('CONNECTION_FAILED', 'the caller stopped waiting for the connection'));
      signal.addEventListener('abort', stop, { once: true });
      void connecting.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  async #open(): Promise<LiveClient> {
    const { clock, connectTimeoutMs, random } = this.#context;
    const waitMs = this.#notBefore - clock.monotonic();
    if (waitMs > 0 && (await sleep(clock, waitMs, this.#abort.signal)) === 'aborted') throw closed();
    try {
      let live: LiveClient | undefined;
      const client = await this.#connect(() => live?.tap, connectTimeoutMs, this.#abort.signal);
      const { onToolsChanged } = this.#context;
      live = new LiveClient(client, clock, { onClose: () => this.#lost(live), onToolsChanged });
      if (this.#abort.signal.aborted) {
        await client.close().catch(() => undefined);
        throw closed();
      }
      this.#failures = 0;
      this.#generation += 1;
      this.#live = live;
      if (this.#generation > 1 || live.speaksMcpTx) this.#context.onReconnected();
      return live;
    } catch (error) {
      if (this.#abort.signal.aborted) throw closed();
      this.#failures += 1;
      this.#notBefore = clock.monotonic() + backoffMs(RECONNECT, this.#failures, random);
      const { message, causeCode } = factsOf(error);
      const why = causeCode === undefined ? message : `${message} (${causeCode})`;
      throw new McpTxError('CONNECTION_FAILED', `cannot connect to the server: ${why}`, { cause: error });
    }
  }

  #lost(live: LiveClient | undefined): void {
    if (live !== undefined && this.#live === live) this.#live = undefined;
    this.#context.onToolsChanged(); // a server that was started anew may have other tools
  }

  async #drop(live: LiveClient): Promise<void> {
    if (this.#live === live) this.#live = undefined;
    await live.client.close().catch(() => undefined);
  }
}

function closed(): McpTxError {
  return new McpTxError('CLOSED', 'the connection is closed');
}
