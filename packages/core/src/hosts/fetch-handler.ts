/** Carries a kernel to hosts that speak `Request` and `Response`: Next.js, Hono, Deno, Lambda streams. */
import type { HttpKernel } from './http-kernel.ts';
import type { HeaderReader, KernelResponse } from './http-message.ts';

/** How the handler is mounted. */
export interface FetchHandlerOptions {
  /** Path that the kernel's routes follow, such as `/api/mcp`. Default: whatever stands before the last route in the path. */
  readonly mount?: string;
}

/** Answers a request. Never rejects. */
export type FetchHandler = (request: Request) => Promise<Response>;

const ROUTE = /\/(?:execute\/[^/]*|operations(?:\/[^/]*)?|livez|readyz|openapi\.json)$/;

/** Makes a handler of a kernel. The request itself is the hooks' `host`. */
export function createFetchHandler(kernel: HttpKernel<Request>, options: FetchHandlerOptions = {}): FetchHandler {
  return async (request) => {
    const url = new URL(request.url);
    const { mount, path } = splitMount(url.pathname, options.mount);
    const answer = await kernel.handle({
      method: request.method,
      path,
      mount,
      query: url.search.slice(1),
      headers: withHost(request.headers, url.host),
      body: request.body,
      signal: request.signal,
      host: request,
    });
    return toResponse(answer, request.method);
  };
}

/** A `Request` that was made by hand has no Host header: the host is in its URL. */
function withHost(headers: Headers, host: string): HeaderReader {
  return headers.has('host') ? headers : { get: (name) => (name === 'host' ? host : headers.get(name)) };
}

/** Whether a path below a mount is one of the kernel's. Of use where a kernel is mounted at the root, among other routes. */
export function isKernelPath(path: string): boolean {
  return path.search(ROUTE) === 0;
}

/** Divides a path into where the kernel is mounted and the kernel's own route. */
export function splitMount(pathname: string, mount?: string): { readonly mount: string; readonly path: string } {
  if (mount !== undefined) {
    const prefix = mount.replace(/\/+$/, '');
    return pathname.startsWith(`${prefix}/`)
      ? { mount: prefix, path: pathname.slice(prefix.length) }
      : { mount: prefix, path: '/' };
  }
  const at = pathname.search(ROUTE);
  return at < 0 ? { mount: '', path: pathname } : { mount: pathname.slice(0, at), path: pathname.slice(at) };
}

/** A kernel's answer as a `Response`. */
export function toResponse({ status, headers, body }: KernelResponse, method: string = 'GET'): Response {
  if (method === 'HEAD') return new Response(null, { status, headers });
  return new Response(typeof body === 'string' ? body : streamOf(body), { status, headers });
}

function streamOf(events: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const reader = events[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const next = await reader.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    async cancel() {
      await reader.return?.();
    },
  });
}
