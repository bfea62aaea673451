/** Watches a transport's own `send` and `onmessage`, so that what happened to a send is seen and not guessed from an error. */
import { member } from '../protocol/tx-meta.ts';
import { PassingMap } from '../runtime/passing-map.ts';
import { GatheredWrites } from './gathered-writes.ts';
import type { CallToolParams, McpClientLike, TransportLike } from './mcp-client.ts';
import type { Watch } from './watch.ts';

/** A JSON-RPC message, as loosely as a peer may write it. */
interface Message {
  readonly jsonrpc?: string;
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: object | null;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown } | null;
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
  /** A send has ended; `isIdle`: no other is unanswered. */
  onForget(watch: Watch, isIdle: boolean): void;
}

/** A tapped transport. */
export class Tap {
  /** Sends through an SDK, by the arguments object: both SDKs hand on the very one they were given. */
  readonly #pending = new PassingMap<unknown, Watch>();
  /** Unanswered frames, by their id; among them all those that no SDK has a part in. */
  readonly #byRequest = new PassingMap<string | number, Watch>();
  readonly #events: TapEvents;
  readonly #transport: TransportLike;
  readonly #writes: GatheredWrites;
  /** The SDK's own `onmessage`: what goes there by this way is not taken for a sign of life. */
  readonly #deliver: ((message: Message) => void) | undefined;
  #isClosed = false;

  /** Replaces `send`, `onmessage`, `onclose` and `close` of `transport`; to be called once its client is connected. */
  constructor(transport: TransportLike, events: TapEvents) {
    this.#events = events;
    this.#transport = transport;
    this.#writes = new GatheredWrites(transport);
    const { onmessage, onclose } = transport;
    this.#deliver = onmessage?.bind(transport) as ((message: Message) => void) | undefined;
    const close = transport.close.bind(transport);
    const send = transport.send.bind(transport) as Send;
    const open = transport as { -readonly [K in keyof TransportLike]: unknown };
    open.send = (message: Message, options?: unknown) => this.#send(send, message, options);
    open.onmessage = (message: Message, extra?: unknown) => {
      if (this.#receive(message)) return;
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

  /** The client still sends over this transport. */
  isUnder(client: McpClientLike): boolean {
    return !this.#isClosed && client.transport === this.#transport;
  }

  /** Any send is being watched. */
  get isWatching(): boolean {
    return this.#pending.size > 0 || this.#byRequest.size > 0;
  }

  /** Sends a frame of our own, past the SDK, and watches for its answer. */
  exchange(watch: Watch, id: string, params: CallToolParams): Promise<void> {
    watch.requestId = id;
    this.#byRequest.set(id, watch);
    const { send } = this.#transport as unknown as { send: Send }; // by way of whatever stands over it by now
    return send.call(this.#transport, { jsonrpc: '2.0', id, method: 'tools/call', params });
  }

  /** Begins to watch a send that an SDK will make. */
  watch(watch: Watch): void {
    this.#pending.set(watch.arguments, watch);
  }

  /** The watched send with this JSON-RPC id. */
  find(requestId: string | number): Watch | undefined {
    return this.#byRequest.get(requestId);
  }

  forget(watch: Watch): void {
    if (watch.arguments !== undefined) this.#pending.delete(watch.arguments);
    if (watch.requestId !== undefined) this.#byRequest.delete(watch.requestId);
    this.#events.onForget(watch, !this.isWatching);
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
  forgetRequest({ requestId, frames }: Watch, reason: string): void {
    if (requestId === undefined || !this.#byRequest.delete(requestId) || this.#isClosed || frames !== undefined) return;
    this.#deliver?.({ jsonrpc: '2.0', id: requestId, error: { code: CANCELLED, message: reason } });
  }

  #send(send: Send, message: Message, options: unknown): Promise<void> {
    if (message.method !== 'tools/call' || message.id === undefined) return send(message, options);
    const ours = this.#byRequest.get(message.id);
    if (ours?.frames !== undefined) {
      ours.dispatched = true;
      ours.hadSession = this.#transport.sessionId !== undefined;
      return this.#write(send, message, options);
    }
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
    const sending = this.#write(send, message, options);
    sending.catch((error: unknown) => {
      watch.status ??= httpStatusOf(error);
    });
    return sending;
  }

  /** Alone, a frame leaves at once. Where others are under way, more of this turn may follow. */
  #write(send: Send, message: Message, options: unknown): Promise<void> {
    if (this.#byRequest.size > 1) this.#writes.gather();
    return send(message, options);
  }

  /** Notes what a frame says; `true`: it is not for the SDK. */
  #receive(message: Message): boolean {
    this.#events.onFrame();
    if (message.method !== undefined) return this.#isProgressOfOurs(message);
    const watch = message.id === undefined ? undefined : this.#byRequest.get(message.id);
    if (watch === undefined || message.id === undefined || !note(watch, message)) return false;
    if (watch.frames === undefined) {
      this.#byRequest.delete(message.id); // the first answer counts
      return false;
    }
    watch.frames.onAnswer(); // ends the watch
    return true;
  }

  #isProgressOfOurs({ method, params }: Message): boolean {
    if (method === 'notifications/tools/list_changed') this.#events.onToolsChanged();
    if (method !== 'notifications/progress') return false;
    const frames = this.#byRequest.get(member(params, 'progressToken') as string)?.frames;
    frames?.onProgress(params);
    return frames !== undefined;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const watches = new Set([...this.#pending.values(), ...this.#byRequest.values()]);
    this.#byRequest.clear();
    for (const watch of watches) watch.lose();
    this.#events.onClose();
  }
}

/** Writes an answer down; `false`: it is neither a result nor an error. */
function note(watch: Watch, { result, error }: Message): boolean {
  if (typeof result === 'object' && result !== null) {
    watch.frame = 'result';
    watch.rawResult = result;
  } else if (typeof error === 'object' && error !== null) {
    const { code, message, data } = error;
    watch.frame = 'error';
    watch.errorFrame = { code: Number(code), message: String(message), ...(data === undefined ? {} : { data }) };
  } else return false;
  return true;
}

/** HTTP status in an SDK's error: `status` in SDK v2, a number as `code` in SDK v1. */
export function httpStatusOf(error: unknown): number | undefined {
  const status = member(error, 'status') ?? member(error, 'code');
  return typeof status === 'number' && status >= 100 && status <= 599 ? status : undefined;
}
