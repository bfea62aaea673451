/** Carries a kernel to Node's own HTTP servers, and to the frameworks whose requests and responses are Node's: Express, Nest, Connect. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AbortSource } from '../runtime/abort-source.ts';
import { BodyChunks } from './body-chunks.ts';
import { splitMount } from './fetch-handler.ts';
import { goneSignal } from './gone-signal.ts';
import type { HttpKernel } from './http-kernel.ts';
import type { KernelBody, KernelRequest, KernelResponse } from './http-message.ts';

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
    const asked = new NodeRequest(request, response, options.mount);
    const answer = await kernel.handle(asked);
    if (typeof answer.body === 'string') writeText(answer, answer.body, asked.method, response);
    else await writeEvents(answer, answer.body, asked.method, response);
    if (!request.readableEnded) request.resume(); // what is left of a body that was refused
  };
}

/** A class for its getter: in a literal it would give each request a shape of its own, which lives until the next full collection. */
class NodeRequest<Request extends IncomingMessage> implements KernelRequest<Request> {
  readonly method: string;
  readonly path: string;
  readonly mount: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: KernelBody;
  readonly host: Request;
  readonly #response: ServerResponse;
  #gone: AbortSource | undefined = undefined;

  constructor(request: Request, response: ServerResponse, under: string | undefined) {
    const { pathname, query } = pathOf(request);
    const { mount, path } = splitMount(pathname, under);
    this.method = request.method ?? 'GET';
    this.path = path;
    this.mount = mount;
    this.query = query;
    this.headers = request.headers;
    this.body = bodyOf(request);
    this.host = request;
    this.#response = response;
  }

  /** Made when it is asked for: not every call waits for it. */
  get signal(): AbortSource {
    this.#gone ??= goneSignal(this.#response);
    return this.#gone;
  }
}

/** The path and the query as they came, whatever routers have cut from `url`. */
function pathOf(request: IncomingMessage): { readonly pathname: string; readonly query: string } {
  const url = (request as ReadRequest).originalUrl ?? request.url ?? '/';
  const at = url.indexOf('?');
  return at < 0 ? { pathname: url, query: '' } : { pathname: url.slice(0, at), query: url.slice(at + 1) };
}

function writeText({ status, headers }: KernelResponse, text: string, method: string, response: ServerResponse): void {
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(method === 'HEAD' ? undefined : text);
}

/** Writes a stream of events, as fast as the client reads it. Ends it when the client goes. */
async function writeEvents(
  { status, headers }: KernelResponse,
  body: AsyncIterable<string>,
  method: string,
  response: ServerResponse,
): Promise<void> {
  if (response.destroyed || response.writableEnded) return endEarly(body);
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

async function endEarly(body: AsyncIterable<string>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}
