/** Puts handlers behind a plain server of Node, as a runtime that speaks `Request` and `Response` does. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { McpTxHandlers } from '../../src/index.ts';

/** A server that listens. */
export interface ServedHandlers {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves them on a free port. */
export async function serveHandlers(handlers: McpTxHandlers): Promise<ServedHandlers> {
  const server = createServer((incoming, outgoing) => {
    const request = toRequest(incoming, outgoing);
    const handle = handlers[incoming.method as keyof McpTxHandlers] ?? handlers.GET; // as Next does with HEAD
    void handle(request).then((response) => write(response, outgoing));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/mcp`,
    async close() {
      server.close();
      server.closeIdleConnections();
      await once(server, 'close');
    },
  };
}

function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request {
  const { method = 'GET', url = '/', headers } = incoming;
  const gone = new AbortController();
  outgoing.once('close', () => outgoing.writableFinished || gone.abort());
  const pairs = Object.entries(headers).flatMap(([name, value = []]) =>
    [value].flat().map((one) => [name, one] as const),
  );
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return new Request(`http://127.0.0.1${url}`, {
    method,
    headers: pairs.map(([name, value]): [string, string] => [name, value]),
    signal: gone.signal,
    ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' } : {}),
  } as RequestInit);
}

async function write(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body as never);
  outgoing.once('close', () => body.destroy());
  body.on('error', () => undefined).pipe(outgoing);
}
