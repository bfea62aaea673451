/** Watches a transport's own `send` and `onmessage`, so that what happened to a send is seen and not guessed from an error. */
import { member } from '../protocol/tx-meta.ts';
import type { TransportLike } from './mcp-client.ts';
import type { Watch } from './watch.ts';

/** A JSON-RPC message, as loosely as a peer may write it. */
interface Message {
  readonly jsonrpc?: string;
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: object;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
}

type Send = (message: Message, options?: unknown) => Promise<void>;

/** Code of the error that we make up for the SDK alone; nothing of it leaves the tap. */
const CANCELLED = -32_001;

/** What a tap reports beside single sends. */
export interface TapEvents {
  /** A frame came: the peer is alive. */
  onFrame(): void;
  /** No answer comes over this connection any more. */
  onClose(): void;
  /** The transport itself says that it has ended: a child process has exited. */
  onEnd(): void;
  onToolsChanged(): void;
}

/** A tapped transport. */
export class Tap {
  readonly #pending = new Map<unknown, Watch>(); // by the arguments object: both SDKs hand on the very one they were given
  readonly #byRequest = new Map<string | number, Watch>();
  readonly #events: TapEvents;
  readonly #transport: TransportLike;
  /** The SDK's own `onmessage`: what goes there by this way is not taken for a sign of life. */
  readonly #deliver: ((message: Message) => void) | undefined;
  #isClosed = false;

  /** Replaces `send`, `onmessage`, `onclose` and `close` of `transport`; to be called once its client is connected. */
  constructor(transport: TransportLike, events: TapEvents) {
    this.#events = events;
    this.#transport = transport;
    const { onmessage, onclose } = transport;
    this.#deliver = onmessage?.bind(transport) as ((message: Message) => void) | undefined;
    const close = transport.close.bind(transport);
    const send = transport.send.bind(transport) as Send;
    const open = transport as { -readonly [K in keyof TransportLike]: unknown };
    open.send = (message: Message, options?: unknown) => this.#send(send, message, options);
    open.onmessage = (message: Message, extra?: unknown) => {
      this.#receive(message);
      (onmessage as ((message: Message, extra?: unknown) => void) | undefined)?.call(transport, message, extra);
    };
    open.onclose = () => {
      this.#close();
      this.#events.onEnd();
      onclose?.call(transport);
    };
    open.close = () => {
      this.#close(); // no answer can come any more; an overflowing stdio transport closes itself and takes seconds to say so
      return close();
    };
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Any send is being watched. */
  get isWatching(): boolean {
    return this.#pending.size > 0;
  }

  /** Begins to watch a send. */
  watch(watch: Watch): void {
    this.#pending.set(watch.arguments, watch);
  }

  /** The watched send with this JSON-RPC id. */
  find(requestId: string | number): Watch | undefined {
    return this.#byRequest.get(requestId);
  }

  forget(watch: Watch): void {
    this.#pending.delete(watch.arguments);
    if (watch.requestId !== undefined) this.#byRequest.delete(watch.requestId);
  }

  /** Tells the server that nobody wants the answer, and lets the SDK forget the request. */
  cancel(watch: Watch, reason: string): void {
    const { requestId } = watch;
    if (requestId === undefined || !this.#byRequest.has(requestId) || this.#isClosed) return;
    const notification = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } };
    const { send } = this.#transport as unknown as { send: Send };
    send(notification).catch(() => undefined);
    this.forgetRequest(watch, reason);
  }

  /** Lets the SDK forget a request, as if the server had refused it. The server is told nothing. */
  forgetRequest({ requestId }: Watch, reason: string): void {
    if (requestId === undefined || !this.#byRequest.delete(requestId) || this.#isClosed) return;
    this.#deliver?.({ jsonrpc: '2.0', id: requestId, error: { code: CANCELLED, message: reason } });
  }

  #send(send: Send, message: Message, options: unknown): Promise<void> {
    if (message.method !== 'tools/call' || message.id === undefined) return send(message, options);
    const watch = this.#pending.get(member(message.params, 'arguments'));
    if (watch === undefined) {
      // Not ours, or ours in a copy that a wrapped client made: then none of ours can be said not to have left.
      for (const each of this.#pending.values()) each.dispatched = true;
      return send(message, options);
    }
    watch.dispatched = true;
    if (watch.frame === 'result') watch.laterLeg = true;
    watch.frame = undefined; // a further leg of the same attempt
    watch.rawResult = undefined;
    watch.hadSession = this.#transport.sessionId !== undefined;
    if (watch.requestId !== undefined) this.#byRequest.delete(watch.requestId);
    watch.requestId = message.id;
    this.#byRequest.set(message.id, watch);
    const sending = send(message, options);
    sending.catch((error: unknown) => {
      watch.status ??= statusOf(error);
    });
    return sending;
  }

  #receive(message: Message): void {
    this.#events.onFrame();
    if (message.method !== undefined) {
      if (message.method === 'notifications/tools/list_changed') this.#events.onToolsChanged();
      return;
    }
    const watch = message.id === undefined ? undefined : this.#byRequest.get(message.id);
    if (watch === undefined || message.id === undefined) return;
    this.#byRequest.delete(message.id); // the first answer counts
    if (message.error !== undefined) {
      watch.frame = 'error';
      const { code, message: text, data } = message.error;
      watch.errorFrame = { code: Number(code), message: String(text), ...(data === undefined ? {} : { data }) };
    } else if (message.result !== undefined) {
      watch.frame = 'result';
      watch.rawResult = message.result;
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#byRequest.clear();
    for (const watch of this.#pending.values()) watch.lose();
    this.#events.onClose();
  }
}

/** HTTP status in an SDK's error: `status` in SDK v2, a number as `code` in SDK v1. */
function statusOf(error: unknown): number | undefined {
  const status = member(error, 'status') ?? member(error, 'code');
  return typeof status === 'number' && status >= 100 && status <= 599 ? status : undefined;
}
