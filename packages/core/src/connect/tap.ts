/** Watches a transport's own `send` and `onmessage`, so that what happened to a send is seen and not guessed from an error. */
import { EXTENSION_ID } from '../protocol/capability.ts';
import { member } from '../protocol/tx-meta.ts';
import type { TransportLike } from './mcp-client.ts';
import { Watch } from './watch.ts';

/** A JSON-RPC message, as loosely as a peer may write it. */
interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: object;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
}

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
  readonly #byAttempt = new Map<string, Watch>();
  readonly #byRequest = new Map<string | number, Watch>();
  readonly #events: TapEvents;
  #isClosed = false;

  /** Replaces `send`, `onmessage`, `onclose` and `close` of `transport`; to be called once its client is connected. */
  constructor(transport: TransportLike, events: TapEvents) {
    this.#events = events;
    const { onmessage, onclose } = transport;
    const close = transport.close.bind(transport);
    const send = transport.send.bind(transport) as (message: Message, options?: unknown) => Promise<void>;
    const open = transport as { -readonly [K in keyof TransportLike]: unknown };
    open.send = (message: Message, options?: unknown) => this.#send(send, message, options, transport);
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

  /** Begins to watch a send; its attempt id must be in its `_meta`. */
  watch(attemptId: string): Watch {
    const watch = new Watch(attemptId);
    this.#byAttempt.set(attemptId, watch);
    return watch;
  }

  /** The send with this id, if it is being watched. */
  find(attemptId: string): Watch | undefined {
    return this.#byAttempt.get(attemptId);
  }

  forget(watch: Watch): void {
    this.#byAttempt.delete(watch.attemptId);
    if (watch.requestId !== undefined) this.#byRequest.delete(watch.requestId);
  }

  #send(
    send: (message: Message, options?: unknown) => Promise<void>,
    message: Message,
    options: unknown,
    transport: TransportLike,
  ): Promise<void> {
    const watch = message.method === 'tools/call' ? this.#recognise(message) : undefined;
    if (watch === undefined || message.id === undefined) return send(message, options);
    watch.dispatched = true;
    watch.frame = undefined; // a further leg of the same attempt
    watch.rawResult = undefined;
    watch.hadSession = transport.sessionId !== undefined;
    if (watch.requestId !== undefined) this.#byRequest.delete(watch.requestId);
    watch.requestId = message.id;
    this.#byRequest.set(message.id, watch);
    const sending = send(message, options);
    sending.catch((error: unknown) => {
      watch.status ??= statusOf(error);
    });
    return sending;
  }

  #recognise(message: Message): Watch | undefined {
    const attemptId = member(member(member(message.params, '_meta'), EXTENSION_ID), 'attemptId');
    return typeof attemptId === 'string' ? this.#byAttempt.get(attemptId) : undefined;
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
    for (const watch of this.#byAttempt.values()) watch.lose();
    this.#events.onClose();
  }
}

/** HTTP status in an SDK's error: `status` in SDK v2, a number as `code` in SDK v1. */
function statusOf(error: unknown): number | undefined {
  const status = member(error, 'status') ?? member(error, 'code');
  return typeof status === 'number' && status >= 100 && status <= 599 ? status : undefined;
}
