// The server of a cell: a tool that knows nothing of repeats, made safe by createServerTx, over one of three transports, with faults.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer as McpServerV2 } from '@modelcontextprotocol/server';
import { StdioServerTransport as StdioV2, serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { createServerTx } from '../../src/index.ts';
import type { Bench } from './bench.ts';
import { orderIn } from './bench.ts';
import type { ServerKind } from './cells.ts';

/** Short, so that what a dead server left is soon told to be in doubt; no tool here takes as long. */
const LEASE_MS = 800;
/** How long a tool whose client is to die goes on after its effect, ms. */
const AFTER_EFFECT_MS = 600;

interface Transport {
  onmessage?: ((message: unknown, extra?: unknown) => void) | undefined;
  send(message: unknown, options?: unknown): Promise<void>;
}

/** Makes a fresh wrapped server; all of one process share what they remember. */
export function serverFactory(line: ServerKind, bench: Bench): () => object {
  const ledger = sqliteLedger(join(bench.folder, 'server.db'));
  const tx = createServerTx({ ledger, name: 'payments', scope: 'local', leaseMs: LEASE_MS });
  const pay = async ({ orderId }: { orderId: string }) => payFor(bench, orderId);
  return () => {
    if (line === 'SDK v1') {
      const server = new McpServer({ name: 'payments', version: '1' });
      server.registerTool('pay', { inputSchema: { orderId: z.string() } }, pay);
      return tx.wrap(server);
    }
    const server = new McpServerV2({ name: 'payments', version: '1' });
    server.registerTool('pay', { inputSchema: z.object({ orderId: z.string() }) }, pay);
    return tx.wrap(server);
  };
}

async function payFor(bench: Bench, orderId: string) {
  if (bench.isDue('late-duplicate', orderId)) throw new Error('out of money');
  if (bench.isDue('killed-before', orderId)) die();
  const receipt = randomUUID();
  bench.addEffect(orderId, receipt);
  if (bench.isDue('killed-after', orderId)) die();
  if (orderId === 'client-killed') await sleep(AFTER_EFFECT_MS);
  if (orderId === 'concurrent') await sleep(50);
  return { content: [{ type: 'text' as const, text: JSON.stringify({ orderId, receipt }) }] };
}

/** Serves one connection. `transport`: the server's end of it. */
export async function serveConnection(
  line: ServerKind,
  bench: Bench,
  make: () => object,
  transport: object,
): Promise<void> {
  const faulty = withFaults(bench, transport as Transport);
  if (line === 'SDK v1') await (make() as McpServer).connect(faulty as never);
  else serveStdio(() => make() as never, { transport: faulty as never });
}

export async function serveOverStdio(line: ServerKind, bench: Bench): Promise<void> {
  const transport = line === 'SDK v1' ? new StdioServerTransport() : new StdioV2();
  await serveConnection(line, bench, serverFactory(line, bench), transport);
}

/** Drops an answer, or dies instead of giving it. */
function withFaults(bench: Bench, transport: Transport): Transport {
  const orders = new Map<unknown, unknown>();
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    const { id, method } = message as { id?: unknown; method?: string };
    if (method === undefined && isLost(bench, orders.get(id))) return;
    await send(message, options);
  };
  let inner: Transport['onmessage'];
  Object.defineProperty(transport, 'onmessage', {
    configurable: true,
    get: () => inner,
    set(handler: Transport['onmessage']) {
      inner = (message, extra) => {
        orders.set((message as { id?: unknown }).id, orderIn(message));
        handler?.(message, extra);
      };
    },
  });
  return transport;
}

/** Serves HTTP on `port`; resolves with the port. */
export async function serveOverHttp(line: ServerKind, bench: Bench, port: number): Promise<number> {
  const answer = line === 'SDK v1' ? sessionsOf(serverFactory(line, bench)) : requestsOf(serverFactory(line, bench));
  const server = createServer((request, response) => {
    void (async () => {
      const body = request.method === 'POST' ? await json(request) : undefined;
      loseAnswer(bench, orderIn(body ?? {}), response);
      await answer(request, response, body);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void>;

function sessionsOf(make: () => object): Answer {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return async (request, response, body) => {
    const id = String(request.headers['mcp-session-id'] ?? '');
    let transport = sessions.get(id);
    if (transport === undefined && id !== '') return void response.writeHead(404).end();
    if (transport === undefined) {
      const fresh: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (session) => void sessions.set(session, fresh),
      });
      await (make() as McpServer).connect(fresh as never);
      transport = fresh;
    }
    await transport.handleRequest(request, response, body);
  };
}

function requestsOf(make: () => object): Answer {
  const handler = createMcpHandler(() => make() as never);
  return async (request, response, body) => {
    const answer = await handler.fetch(
      new Request(`http://127.0.0.1${request.url}`, {
        method: request.method as string,
        headers: request.headers as Record<string, string>,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const chunk of answer.body ?? []) response.write(chunk);
    response.end();
  };
}

function loseAnswer(bench: Bench, orderId: unknown, response: ServerResponse): void {
  for (const name of ['write', 'end'] as const) {
    const original = response[name].bind(response) as (...args: unknown[]) => unknown;
    response[name] = ((chunk: unknown, ...rest: unknown[]) => {
      const text = chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk ?? '');
      if (text.includes('"result"') && isLost(bench, orderId)) response.destroy();
      return response.destroyed ? true : original(chunk, ...rest);
    }) as never;
  }
}

function isLost(bench: Bench, orderId: unknown): boolean {
  if (bench.isDue('killed-answering', orderId)) die();
  return bench.isDue('response-dropped', orderId);
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}
