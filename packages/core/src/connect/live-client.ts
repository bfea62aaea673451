/** One connected SDK client under a tap, from connect to close. */
import type { Sending, SendRequest } from '../engine/tool-caller.ts';
import { speaksMcpTx } from '../protocol/capability.ts';
import type { Clock } from '../runtime/clock.ts';
import { readAnswers } from './answer-reader.ts';
import { exchangeFrames } from './exchange-frames.ts';
import { ListedTools } from './listed-tools.ts';
import type { McpClientLike, RequestOptionsLike, ToolDefinition, TransportLike } from './mcp-client.ts';
import { isPlainSdkV1, listAllTools } from './mcp-client.ts';
import type { Channel } from './send-through.ts';
import { sendThrough } from './send-through.ts';
import { Tap } from './tap.ts';

/** What its owner wants to hear. */
export interface LiveClientEvents {
  onClose(): void;
  onToolsChanged(): void;
}

/** A client that is connected, or was. */
export class LiveClient implements Channel {
  readonly client: McpClientLike;
  readonly tap: Tap | undefined;
  readonly tools: ListedTools;
  readonly speaksMcpTx: boolean;
  readonly #clock: Clock;
  readonly #ownsProcess: boolean;
  /** Its SDK would add nothing to the exchange of two frames but time. */
  readonly #isPlain: boolean;
  #seenAt: number;
  #isClosed = false;
  #hasEnded = false;
  #hasLostSession = false;
  #onIdle: (() => void) | undefined = undefined;

  constructor(client: McpClientLike, clock: Clock, events: LiveClientEvents, tools: ListedTools = new ListedTools()) {
    this.client = client;
    this.tools = tools;
    this.#isPlain = isPlainSdkV1(client);
    this.#clock = clock;
    this.#seenAt = clock.monotonic();
    this.speaksMcpTx = speaksMcpTx(client.getServerCapabilities?.());
    const transport = client.transport;
    this.#ownsProcess = typeof transport === 'object' && transport !== null && 'pid' in transport;
    this.tap = isTransport(transport)
      ? new Tap(transport, {
          onFrame: () => {
            this.#seenAt = this.#clock.monotonic();
          },
          onClose: () => {
            this.#isClosed = true;
            events.onClose();
          },
          onEnd: () => {
            this.#hasEnded = true;
          },
          onToolsChanged: events.onToolsChanged,
          onForget: (watch, isIdle) => {
            if (watch.status === 404 && watch.hadSession) this.#hasLostSession = true;
            if (isIdle) this.#onIdle?.();
          },
        })
      : undefined;
    const { tap } = this;
    if (tap !== undefined && this.#isPlain)
      readAnswers(transport as object, (id) => tap.find(id)?.frames !== undefined);
  }

  /** Nothing can be sent over this connection any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A send is unanswered. */
  get isBusy(): boolean {
    return this.tap?.isWatching === true;
  }

  /** The server has answered a send with 404: it does not know the session any more. */
  get hasLostSession(): boolean {
    return this.#hasLostSession;
  }

  /** Closes the client once no send over it is unanswered: a session that is gone may still answer what it took. */
  async retire(): Promise<void> {
    if (this.isBusy) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.client.close().catch(() => undefined);
  }

  /** How long nothing has been heard of the peer, ms. */
  get idleMs(): number {
    return this.#clock.monotonic() - this.#seenAt;
  }

  /** Something was heard of the peer. */
  touch(): void {
    this.#seenAt = this.#clock.monotonic();
  }

  send(request: SendRequest): Sending {
    const { tap } = this;
    return tap !== undefined && this.#isPlain ? exchangeFrames(this, tap, request) : sendThrough(this, request);
  }

  /** All tools of the server. */
  async listTools(options: RequestOptionsLike): Promise<readonly ToolDefinition[]> {
    const tools = await listAllTools(this.client, options);
    this.tools.learn(tools);
    return tools;
  }

  /** A transport over a child process says that it ended when the process has exited: then its sends are dead. */
  isDead(): boolean {
    return this.#ownsProcess && this.#hasEnded;
  }
}

function isTransport(value: unknown): value is TransportLike {
  return typeof value === 'object' && value !== null && typeof (value as TransportLike).send === 'function';
}
