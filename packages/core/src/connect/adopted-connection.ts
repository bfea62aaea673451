/** A connection over a client that its owner has connected: tapped and used, never reconnected and never closed. */
import type { Sending, SendRequest } from '../engine/tool-caller.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import { factsOf } from '../policy/observation.ts';
import { ListedTools } from './listed-tools.ts';
import { LiveClient } from './live-client.ts';
import type { McpClientLike, ToolDefinition } from './mcp-client.ts';
import { checkAlive } from './mcp-client.ts';
import type { OperationStatus } from './operation-status.ts';
import { operationStatusOn } from './operation-status.ts';
import type { ConnectionContext, ConnectionState, ServerConnection, TaskStatus } from './server-source.ts';
import { taskStatusOn } from './task-status.ts';
import { unsent } from './unsent.ts';

/** See {@link ServerConnection}. The owner may reconnect the client; the next call then taps its new transport. */
export class AdoptedConnection implements ServerConnection {
  readonly #client: McpClientLike;
  readonly #context: ConnectionContext;
  readonly #tools = new ListedTools(); // they stay when the owner reconnects
  #live: LiveClient;
  #isClosed = false;
  #generation = 1;

  constructor(client: McpClientLike, context: ConnectionContext) {
    this.#client = client;
    this.#context = context;
    this.#live = this.#adopt();
  }

  get state(): ConnectionState {
    if (this.#isClosed) return 'closed';
    return this.isReady() ? 'ready' : 'down';
  }

  get generation(): number {
    return this.#generation;
  }

  get speaksMcpTx(): boolean {
    return this.#live.speaksMcpTx;
  }

  isReady(): boolean {
    return !this.#isClosed && !this.#live.isClosed;
  }

  async makeReady(): Promise<void> {
    if (this.#isClosed) throw new McpTxError('CLOSED', 'the connection is closed');
    if (this.#live.isClosed && this.#client.transport !== undefined) {
      this.#live = this.#adopt();
      this.#generation += 1;
      this.#context.onReconnected();
    }
    if (this.isReady()) return;
    throw new McpTxError(
      'CONNECTION_FAILED',
      'the client is not connected; reconnect it, or let createMcpTx own the connection with stdio() or http()',
    );
  }

  send(request: SendRequest): Sending {
    return this.isReady() ? this.#live.send(request) : unsent('Not connected');
  }

  async recover(): Promise<void> {
    // Sessions and credentials of this client are its owner's business.
  }

  listTools(signal: AbortSignal): Promise<readonly ToolDefinition[]> {
    return this.#ask(() => this.#live.listTools({ signal, timeout: this.#context.connectTimeoutMs }));
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#ask(() => checkAlive(this.#client, { signal, timeout: this.#context.connectTimeoutMs }));
  }

  taskStatus(taskId: string, signal: AbortSignal): Promise<TaskStatus> {
    return this.#ask(() => taskStatusOn(this.#client, taskId, { signal, timeout: this.#context.connectTimeoutMs }));
  }

  operationStatus(operationId: string, signal: AbortSignal): Promise<OperationStatus> {
    const options = { signal, timeout: this.#context.connectTimeoutMs };
    return this.#ask(async () =>
      this.#live.speaksMcpTx ? operationStatusOn(this.#client, operationId, options) : { state: 'unaware' },
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #adopt(): LiveClient {
    const { clock, onToolsChanged } = this.#context;
    return new LiveClient(this.#client, clock, { onClose: () => undefined, onToolsChanged }, this.#tools);
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    await this.makeReady();
    try {
      return await question();
    } catch (error) {
      throw new McpTxError('CONNECTION_FAILED', `the server did not answer: ${factsOf(error).message}`, {
        cause: error,
      });
    }
  }
}
