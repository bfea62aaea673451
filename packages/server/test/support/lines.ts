// One server of each kind that can be wrapped, with a client of its SDK line, in memory.
import { Client as ClientV2, InMemoryTransport as InMemoryV2 } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { member } from '../../src/member.ts';
import type { ToolBody } from './tools.ts';

const ID = 'io.github.mcp-tx/reliability';
const INFO = { name: 'under test', version: '1' };
const SHAPE = { orderId: z.string(), amount: z.number().optional() };

export type Bodies = Readonly<Record<string, ToolBody>>;

/** A kind of server: how one is made of tools. `early` gets it before it has any. */
export type MakeServer = (bodies: Bodies, early?: (server: object) => void) => object;

export const v1McpServer: MakeServer = (bodies, early) => {
  const server = new McpServer(INFO);
  early?.(server);
  for (const [name, body] of Object.entries(bodies)) {
    server.registerTool(name, { inputSchema: SHAPE }, (async (args: object, extra: unknown) =>
      body(args as never, extra)) as never);
  }
  return server;
};

export const v1Server: MakeServer = (bodies, early) => {
  const server = new Server(INFO, { capabilities: { tools: {} } });
  early?.(server);
  const tools = Object.keys(bodies).map((name) => ({ name, inputSchema: { type: 'object' as const } }));
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  server.setRequestHandler(CallToolRequestSchema, (async (
    { params }: { params: { name: string; arguments?: Record<string, unknown> } },
    extra: unknown,
  ) => bodies[params.name]?.(params.arguments ?? {}, extra)) as never);
  return server;
};

export const v2McpServer: MakeServer = (bodies, early) => {
  const server = new McpServerV2(INFO);
  early?.(server);
  for (const [name, body] of Object.entries(bodies)) {
    server.registerTool(name, { inputSchema: z.object(SHAPE) }, (async (args: object, ctx: unknown) =>
      body(args as never, ctx)) as never);
  }
  return server;
};

export const KINDS: readonly (readonly [string, MakeServer])[] = [
  ['McpServer of SDK v1', v1McpServer],
  ['Server of SDK v1', v1Server],
  ['McpServer of SDK v2', v2McpServer],
];

/** A JSON-RPC error as a client sees it. */
export interface Failure {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** A client, in the few ways a test uses one. */
export interface Caller extends AsyncDisposable {
  readonly client: Client;
  /** Calls a tool and throws what the SDK throws. */
  call(tool: string, args: object, meta?: object, options?: object): Promise<Record<string, unknown>>;
  /** Calls a tool that must be answered with an error. */
  fail(tool: string, args: object, meta?: object): Promise<Failure>;
  /** Sends any request. */
  ask(method: string, params: object): Promise<Record<string, unknown>>;
}

interface Connectable {
  connect(transport: unknown): Promise<void>;
}

/** Connects a fresh client of the server's own line. `authInfo` is what an HTTP transport would have found out. */
export async function connect(server: object, authInfo?: object): Promise<Caller> {
  const isV2 = server instanceof McpServerV2;
  const [near, far] = (isV2 ? InMemoryV2 : InMemoryTransport).createLinkedPair();
  if (authInfo !== undefined) authenticate(near, authInfo);
  await (server as Connectable).connect(far);
  const client = new (isV2 ? ClientV2 : Client)({ name: 'test', version: '1' }) as unknown as Client;
  await client.connect(near as never);
  return callerOf(client, isV2);
}

/** The calls of a connected client. */
export function callerOf(client: Client, isV2: boolean): Caller {
  const call: Caller['call'] = async (name, args, meta, options) => {
    const params = { name, arguments: { ...args }, ...(meta === undefined ? {} : { _meta: { ...meta } }) };
    return (await (isV2
      ? client.callTool(params, options as never)
      : client.callTool(params, undefined, options))) as never;
  };
  return {
    client,
    call,
    async fail(tool, args, meta) {
      const answer = await call(tool, args, meta).catch((error: Failure) => error);
      if (!(answer instanceof Error)) throw new Error(`answered with ${JSON.stringify(answer)}`);
      const { code, message, data } = answer as Error & Failure;
      return { code, message, data };
    },
    ask: (method, params) => client.request({ method, params } as never, z.looseObject({}) as never),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function authenticate(near: { send(message: never, options?: never): Promise<void> }, authInfo: object): void {
  const send = near.send.bind(near);
  near.send = (message, options) => send(message, { ...((options as object | undefined) ?? {}), authInfo } as never);
}

let sends = 0;

/** Our request metadata, as an engine would write it: every send has an id of its own. */
export function meta(operationId: string, more: object = {}): Record<string, object> {
  sends += 1;
  const block = { v: 1, operationId, requestId: 'req_1', attempt: 1, attemptId: `req_1.${sends}`, remainingMs: 5_000 };
  return { [ID]: { ...block, ...more } };
}

/** The acknowledgement in a result, or the refusal in a failure. */
export function blockOf(answer: Readonly<Record<string, unknown>> | Failure): Record<string, unknown> {
  return member(member(answer, '_meta') ?? member(answer, 'data'), ID) as Record<string, unknown>;
}

/** The bytes of a result beside our block. */
export function bytesOf(result: Readonly<Record<string, unknown>>): string {
  const { [ID]: _, ...others } = (result._meta ?? {}) as Record<string, unknown>;
  return JSON.stringify({ ...result, _meta: others });
}
