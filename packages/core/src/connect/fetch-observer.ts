/** Wraps `fetch` under an SDK's HTTP transport: sees status, Retry-After and broken streams, which the SDKs keep to themselves. */
import type { Clock } from '../runtime/clock.ts';
import { sleep } from '../runtime/clock.ts';
import type { Tap } from './tap.ts';
import type { Watch } from './watch.ts';

/** The part of `fetch` that both SDKs use. */
export type FetchLike = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** How long after a stream's end its last frame may still be on its way through the SDK's parser, ms. */
const PARSER_LAG_MS = 5;

/** A `fetch` that reports to the tap of whichever send its body belongs to. */
export function observedFetch(inner: FetchLike, clock: Clock, currentTap: () => Tap | undefined): FetchLike {
  return async (url, init) => {
    const watch = init?.method === 'POST' ? watchOf(init.body, currentTap()) : undefined;
    if (watch !== undefined) {
      watch.status = undefined; // what an earlier POST of this send was told, before the SDK sent it again, says nothing of this one
      watch.retryAfterMs = undefined;
    }
    const response = await inner(url, init);
    if (watch === undefined) return response;
    watch.status = response.status;
    watch.retryAfterMs = retryAfterMs(response.headers.get('retry-after'), clock);
    if (response.status === 202) watch.lose(); // accepted, and no answer will ever come
    const isStream = response.ok && response.headers.get('content-type')?.includes('text/event-stream') === true;
    return isStream && response.body !== null ? watchStream(response, response.body, watch, clock) : response;
  };
}

/** The send that a body belongs to, by its JSON-RPC id. The SDKs write one message per body. */
function watchOf(body: unknown, tap: Tap | undefined): Watch | undefined {
  if (tap === undefined || !tap.isWatching || typeof body !== 'string') return undefined;
  const { method, id } = JSON.parse(body) as { readonly method?: string; readonly id?: string | number };
  return method === 'tools/call' && id !== undefined ? tap.find(id) : undefined;
}

/** Retry-After as a duration, ms: seconds or an HTTP date (RFC 9110 section 10.2.3). Nonsense counts as absent. */
function retryAfterMs(header: string | null, clock: Pick<Clock, 'now'>): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.now());
}

/** The same response, whose stream tells the watch when it ends without the answer. A stream with event ids may be resumed. */
function watchStream(response: Response, body: ReadableStream<Uint8Array>, watch: Watch, clock: Clock): Response {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let resumable = false;
  let tail = '';
  const ended = async (): Promise<void> => {
    await sleep(clock, PARSER_LAG_MS);
    if (!resumable) watch.lose();
  };
  const observed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          await ended();
          return;
        }
        if (!resumable) {
          const text = tail + decoder.decode(value, { stream: true });
          resumable = /(^|[\r\n])id:/.test(text);
          tail = text.slice(-4); // a field name may be cut in two
        }
        controller.enqueue(value);
      } catch (error) {
        controller.error(error);
        await ended();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const { status, statusText, headers } = response;
  return new Response(observed, { status, statusText, headers });
}
