// A real HTTP server with an MCP server of its own for every session, and answers that break off when a test says so.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { ServerTx } from '../../src/index.ts';
import { v1McpServer } from './lines.ts';
import type { Tools } from './tools.ts';

export interface HttpOptions {
  readonly tx: ServerTx;
  readonly tools: Tools;
  /** Numbers of the `tools/call` requests, from 1, whose connection breaks when the tool has had its effect. */
  readonly drop?: readonly number[];
  /** Requests that never arrive. */
  readonly loses?: (body: unknown) => boolean;
  /** Answers as one JSON body and not as a stream of events. */
  readonly json?: boolean;
}

export interface HttpServer extends AsyncDisposable {
  readonly url: string;
  /** Connections that really broke. */
  readonly dropped: number;
}

export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const seen = { calls: 0, dropped: 0 };
  const server = createServer((request, response) => {
    handle(options, sessions, seen, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    get dropped() {
      return seen.dropped;
    },
    [Symbol.asyncDispose]: () => close(server, sessions),
  };
}

async function handle(
  options: HttpOptions,
  sessions: Map<string, StreamableHTTPServerTransport>,
  seen: { calls: number; dropped: number },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = request.method === 'POST' ? await json(request) : undefined;
  if (options.loses?.(body) === true) {
    response.destroy();
    return;
  }
  if ((body as { method?: string } | undefined)?.method === 'tools/call') {
    seen.calls += 1;
    if (options.drop?.includes(seen.calls)) breakAfterEffect(options.tools, response, seen);
  }
  const clientId = request.headers.authorization?.replace('Bearer ', '');
  const auth = clientId === undefined ? {} : { auth: { token: clientId, clientId, scopes: [] } };
  const id = request.headers['mcp-session-id'] as string | undefined;
  const transport = sessions.get(id ?? '') ?? (await open(options, sessions));
  await transport.handleRequest(Object.assign(request, auth) as never, response, body);
}

async function open(
  { tx, tools, json: enableJsonResponse = false }: HttpOptions,
  sessions: Map<string, StreamableHTTPServerTransport>,
): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse,
    onsessioninitialized: (id) => void sessions.set(id, transport),
  });
  const server = tx.wrap(v1McpServer(tools.bodies)) as { connect(transport: unknown): Promise<void> };
  await server.connect(transport);
  return transport;
}

/** The bytes of an answer that comes after the effect never leave. */
function breakAfterEffect(tools: Tools, response: ServerResponse, seen: { dropped: number }): void {
  const before = tools.effects();
  for (const name of ['write', 'end'] as const) {
    const original = response[name].bind(response) as (...args: unknown[]) => unknown;
    response[name] = ((...args: unknown[]) => {
      if (tools.effects() === before) return original(...args);
      if (!response.destroyed) seen.dropped += 1;
      response.destroy();
      return name === 'end' ? response : true;
    }) as never;
  }
}

async function close(server: Server, sessions: Map<string, StreamableHTTPServerTransport>): Promise<void> {
  await Promise.all([...sessions.values()].map((transport) => transport.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
