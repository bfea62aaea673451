/** Stands in for API Gateway: turns real HTTP requests into the events that Lambda gets, and results into responses. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LambdaContext, LambdaEvent, LambdaHandler, LambdaHttpResult } from '../../src/index.ts';

/** Payload formats. */
export type Format = '1.0' | '2.0';

/** A gateway that listens. */
export interface Gateway {
  readonly url: string;
  close(): Promise<void>;
}

/** A context with so much time left. */
export function contextOf(remainingMs: number): LambdaContext {
  const endsAt = performance.now() + remainingMs;
  return { getRemainingTimeInMillis: () => Math.max(0, endsAt - performance.now()), awsRequestId: 'test' };
}

/** Listens on a free port, below the stage `/prod`. */
export async function gateway(format: Format, handler: LambdaHandler, remainingMs = 29_000): Promise<Gateway> {
  const server = createServer(async (request, response) => {
    const event = await (format === '1.0' ? eventV1(request) : eventV2(request));
    const { statusCode, headers, body } = (await handler(event, contextOf(remainingMs))) as LambdaHttpResult;
    response.writeHead(statusCode, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prod`,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bodyOf(
  request: IncomingMessage,
): Promise<{ readonly body: string | null; readonly isBase64Encoded: boolean }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return bytes.length === 0
    ? { body: null, isBase64Encoded: false }
    : { body: bytes.toString('base64'), isBase64Encoded: true };
}

async function eventV1(request: IncomingMessage): Promise<LambdaEvent> {
  const url = new URL(`http://gateway${request.url}`);
  const many: Record<string, string[]> = {};
  for (let n = 0; n < request.rawHeaders.length; n += 2) {
    const name = request.rawHeaders[n] as string;
    many[name] = [...(many[name] ?? []), request.rawHeaders[n + 1] as string];
  }
  const query: Record<string, string[]> = {};
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name);
  return {
    httpMethod: request.method ?? 'GET',
    path: url.pathname,
    headers: Object.fromEntries(Object.entries(many).map(([name, values]) => [name, values.at(-1)])),
    multiValueHeaders: many,
    multiValueQueryStringParameters: query,
    ...(await bodyOf(request)),
  };
}

async function eventV2(request: IncomingMessage): Promise<LambdaEvent> {
  const url = new URL(`http://gateway${request.url}`);
  const headers: Record<string, string> = {};
  for (const [name, values = []] of Object.entries(request.headersDistinct)) headers[name] = values.join(',');
  return {
    version: '2.0',
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    requestContext: { http: { method: request.method ?? 'GET' } },
    ...(await bodyOf(request)),
  };
}
