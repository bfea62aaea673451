/** Sends one tool call through the `callTool` of an SDK client and reports everything that was seen of it. */
import type { Sending, SendRequest } from '../engine/tool-caller.ts';
import type { Observation } from '../policy/observation.ts';
import { withRequestMeta } from '../protocol/tx-meta.ts';
import type { ListedTools } from './listed-tools.ts';
import type { CallToolParams, McpClientLike, RequestOptionsLike } from './mcp-client.ts';
import { callToolOn, isSdkV2 } from './mcp-client.ts';
import type { Tap } from './tap.ts';
import type { WatchOwner } from './watch.ts';
import { Watch } from './watch.ts';

/** Over what a send goes. */
export interface Channel {
  readonly client: McpClientLike;
  readonly tap: Tap | undefined;
  readonly tools: ListedTools;
  /** Only such a server gets our block under `_meta`: others see plain MCP. */
  readonly speaksMcpTx: boolean;
  /** Nothing sent over it can take effect any more. */
  isDead(): boolean;
}

/** The engine decides when nobody listens any more, and then tells the SDK to forget; a day is for clients without a tap, ms. */
const NEVER_MS = 24 * 60 * 60 * 1_000;

/** What goes out as `params` of `tools/call`. */
export function paramsOf(
  { speaksMcpTx }: Channel,
  { tool, meta, identity }: SendRequest,
  args: Record<string, unknown>,
): CallToolParams {
  if (speaksMcpTx) return { name: tool, arguments: args, _meta: withRequestMeta(meta, identity) };
  return meta === undefined ? { name: tool, arguments: args } : { name: tool, arguments: args, _meta: { ...meta } };
}

/** Sends. The engine's own timers end its wait; the SDK's is out of the way. */
export function sendThrough(channel: Channel, request: SendRequest): Sending {
  return new ClientSending(channel, request);
}

class ClientSending implements Sending, WatchOwner {
  readonly ended: Promise<Observation>;
  readonly #channel: Channel;
  readonly #watch: Watch;
  /** SDK v1 never removes its listener from a signal, and a tap can cancel without one; then there is none. */
  readonly #controller: AbortController | undefined;
  #finish: ((seen: Observation) => void) | undefined;

  constructor(channel: Channel, request: SendRequest) {
    const { client, tap } = channel;
    const args = { ...request.arguments };
    this.#channel = channel;
    this.#watch = new Watch(args, tap !== undefined);
    this.#controller = tap === undefined || isSdkV2(client) ? new AbortController() : undefined;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#watch.owner = this;
    tap?.watch(this.#watch);
    this.#call(args, request).then(
      (result) => this.#end(typeof result === 'object' && result !== null ? result : {}, undefined),
      (thrown: unknown) => this.#end(undefined, thrown ?? new Error('the client rejected without a reason')),
    );
  }

  cancel(reason: string): void {
    this.#watch.cancelled = true;
    if (this.#controller === undefined) this.#channel.tap?.cancel(this.#watch, reason);
    else this.#controller.abort(new Error(reason));
  }

  forget(reason: string): void {
    this.#channel.tap?.forgetRequest(this.#watch, reason);
  }

  isDead(): boolean {
    return this.#channel.isDead();
  }

  /** The answer can no longer come. */
  onLost(): void {
    this.#end(undefined, undefined);
  }

  #call(args: Record<string, unknown>, request: SendRequest): Promise<unknown> {
    const { client } = this.#channel;
    const params = paramsOf(this.#channel, request, args);
    const options: RequestOptionsLike = { timeout: NEVER_MS };
    if (this.#controller !== undefined) options.signal = this.#controller.signal;
    if (request.onProgress !== undefined) options.onprogress = request.onProgress;
    try {
      return callToolOn(client, params, options);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  #end(result: object | undefined, thrown: unknown): void {
    const finish = this.#finish;
    if (finish === undefined) return;
    this.#finish = undefined;
    this.#channel.tap?.forget(this.#watch);
    finish(this.#watch.end(result, thrown));
  }
}
