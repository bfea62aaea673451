/** Sends one tool call through an SDK client and reports everything that was seen of it. */
import type { Sending, SendRequest } from '../engine/tool-caller.ts';
import type { Observation } from '../policy/observation.ts';
import type { McpClientLike, RequestOptionsLike } from './mcp-client.ts';
import { callToolOn } from './mcp-client.ts';
import type { Tap } from './tap.ts';
import { Watch } from './watch.ts';

/**
 * Sends. The engine's own timers end its wait; the SDK's timeout only makes sure that the SDK forgets the request in the end.
 * Each send gets a signal of its own: SDK v1 never removes its listener from one.
 */
export function sendThrough(
  client: McpClientLike,
  tap: Tap | undefined,
  request: SendRequest,
  isDead: () => boolean,
): Sending {
  const watch = tap?.watch(request.attemptId) ?? new Watch(request.attemptId);
  const controller = new AbortController();
  let finish: (seen: Observation) => void;
  const ended = new Promise<Observation>((resolve) => {
    finish = resolve;
  });
  const end = (result: object | undefined, thrown: unknown): void => {
    tap?.forget(watch);
    watch.onLost = undefined;
    finish(watch.observe(result, thrown, tap !== undefined));
  };
  watch.onLost = () => end(undefined, undefined);
  call(client, request, controller.signal).then(
    (result) => end(typeof result === 'object' && result !== null ? result : {}, undefined),
    (thrown: unknown) => end(undefined, thrown ?? new Error('the client rejected without a reason')),
  );
  return {
    ended,
    cancel(reason) {
      watch.cancelled = true;
      controller.abort(new Error(reason));
    },
    isDead,
  };
}

async function call(client: McpClientLike, request: SendRequest, signal: AbortSignal): Promise<unknown> {
  const params = { name: request.tool, arguments: { ...request.arguments }, _meta: { ...request.meta } };
  const options: RequestOptionsLike = {
    signal,
    timeout: request.abandonAfterMs,
    ...(request.onProgress === undefined ? {} : { onprogress: request.onProgress }),
  };
  return callToolOn(client, params, options);
}
