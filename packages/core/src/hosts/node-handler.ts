/** Carries a kernel to Node's own HTTP servers, and to the frameworks whose requests and responses are Node's: Express, Nest, Connect. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BodyChunks } from './body-chunks.ts';
import { splitMount } from './fetch-handler.ts';
import type { HttpKernel } from './http-kernel.ts';
import type { KernelBody, KernelResponse } from './http-message.ts';

/** How the handler is mounted. */
export interface NodeHandlerOptions {
  /** Path that the kernel's routes follow, such as `/mcp`. Default: whatever stands before the last route in the path. */
  readonly mount?: string;
}

/** Answers a request, to the end of the answer. Never rejects. */
export type NodeHandler<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
) => Promise<void>;

/** What frameworks leave on a request whose body they have read. */
interface ReadRequest {
  readonly rawBody?: unknown;
  readonly body?: unknown;
  readonly originalUrl?: string;
}

/** Makes a handler of a kernel. The request itself is the hooks' `host`. */
export function createNodeHandler<Request extends IncomingMessage>(
  kernel: HttpKernel<Request>,
  options: NodeHandlerOptions = {},
): NodeHandler<Request> {
  return async (request, response) => {
    const { pathname, query } = pathOf(request);
    const { mount, path } = splitMount(pathname, options.mount);
    const method = request.method ?? 'GET';
    let gone: AbortSignal | undefined;
    const answer = await kernel.handle({
      method,
      path,
      mount,
      query,
      headers: request.headers,
      body: bodyOf(request),
      get signal() {
        gone ??= goneSignal(response); // not every call waits for it
        return gone;
      },
      host: request,
    });
    await writeAnswer(answer, method, response);
    if (!request.readableEnded) request.resume(); // what is left of a body that was refused
  };
}

/** The path and the query as they came, whatever routers have cut from `url`. */
function pathOf(request: IncomingMessage): { readonly pathname: string; readonly query: string } {
  const url = (request as ReadRequest).originalUrl ?? request.url ?? '/';
  const at = url.indexOf('?');
  return at < 0 ? { pathname: url, query: '' } : { pathname: url.slice(0, at), query: url.slice(at + 1) };
}

/** Aborts when the client goes before it has its answer. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  else response.once('close', () => response.writableFinished || gone.abort());
  return gone.signal;
}

/** Writes a kernel's answer, as fast as the client reads it. Ends the stream of events when the client goes. */
async function writeAnswer(
  { status, headers, body }: KernelResponse,
  method: string,
  response: ServerResponse,
): Promise<void> {
  if (response.destroyed || response.writableEnded) return endEarly(body);
  if (typeof body === 'string') {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(method === 'HEAD' ? undefined : body);
    return;
  }
  response.writeHead(status, headers);
  if (method === 'HEAD') {
    response.end();
    return endEarly(body);
  }
  response.flushHeaders();
  for await (const text of body) {
    if (response.destroyed) break;
    if (!response.write(text)) await drained(response);
  }
  response.end();
}

/** Node's stream, unless a framework has read it: then the bytes that it kept, or else what it made of them. */
function bodyOf(request: IncomingMessage): KernelBody {
  const { rawBody, body } = request as ReadRequest;
  if (rawBody instanceof Uint8Array) return rawBody;
  if (body === undefined || !request.readableEnded) return new BodyChunks(request);
  return body instanceof Uint8Array || typeof body === 'string' ? body : { parsed: body };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}

async function endEarly(body: KernelResponse['body']): Promise<void> {
  if (typeof body !== 'string') await body[Symbol.asyncIterator]().return?.();
}
