// Servers made by the frameworks that people use: how each hands out its server, and that a repeat then has no second effect.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import 'reflect-metadata';
import { memoryLedger } from '@mcp-tx/core/ledger';
import { speaksMcpTx } from '@mcp-tx/core/protocol';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import express from 'express';
import { FastMCP, FastMCPSession } from 'fastmcp';
import { createMcpHandler } from 'mcp-handler';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { ServerTx } from '../src/index.ts';
import { createServerTx } from '../src/index.ts';
import { blockOf, bytesOf, callerOf } from './support/lines.ts';

vi.setConfig({ testTimeout: 30_000 });
const SHAPE = { orderId: z.string() };

/** A running server of a framework. */
interface Running {
  readonly url: string;
  readonly fetch?: (url: string | URL, init?: RequestInit) => Promise<Response>;
  end(): Promise<unknown>;
}

type Start = (tx: ServerTx, pay: () => string) => Promise<Running>;

const withExpress: Start = async (tx, pay) => {
  const app = express();
  app.use(express.json());
  app.post('/mcp', async (request, response) => {
    const server = new McpServer({ name: 'payments', version: '1' });
    server.registerTool('pay', { inputSchema: SHAPE }, async () => ({ content: [{ type: 'text', text: pay() }] }));
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    await tx.wrap(server).connect(transport as never);
    await transport.handleRequest(request, response, request.body);
  });
  const listening = await new Promise<Server>((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
  const { port } = listening.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/mcp`, end: () => new Promise((resolve) => listening.close(resolve)) };
};

/** Every session has a server of its own, which is made and connected inside: it is wrapped on the way. */
const withFastMcp: Start = async (tx, pay) => {
  const { connect } = FastMCPSession.prototype;
  FastMCPSession.prototype.connect = function wrapped(this: FastMCPSession, transport) {
    tx.wrap(this.server);
    return connect.call(this, transport);
  };
  const server = new FastMCP({ name: 'payments', version: '1.0.0' });
  server.addTool({ name: 'pay', description: 'pays', parameters: z.object(SHAPE), execute: async () => pay() });
  const port = await freePort();
  await server.start({ transportType: 'httpStream', httpStream: { port, host: '127.0.0.1', endpoint: '/mcp' } });
  const end = async (): Promise<void> => {
    FastMCPSession.prototype.connect = connect;
    await server.stop();
  };
  return { url: `http://127.0.0.1:${port}/mcp`, end };
};

/** It hands each server to the function that registers tools. */
const withMcpHandler: Start = async (tx, pay) => {
  const handler = createMcpHandler((server) => {
    server.registerTool('pay', { inputSchema: z.object(SHAPE) }, async () => ({
      content: [{ type: 'text', text: pay() }],
    }));
    tx.wrap(server);
  });
  const fetch = (url: string | URL, init?: RequestInit): Promise<Response> => handler(new Request(url, init));
  return { url: 'http://127.0.0.1/mcp', fetch, end: async () => undefined };
};

/** It has an option for just this, and tools that `McpServer` knows nothing of. */
const withMcpNest: Start = async (tx, pay) => {
  const strategy = new McpStrategy({
    name: 'payments',
    version: '1.0.0',
    transports: [new StreamableHttpTransport()],
    serverMutator: (server) => tx.wrap(server),
  });
  strategy.registerTool({
    name: 'pay',
    description: 'pays',
    parameters: z.object(SHAPE),
    handler: async () => ({ content: [{ type: 'text', text: pay() }] }),
  } as never);
  class Root {}
  Module({})(Root);
  const app = await NestFactory.create(Root, { logger: false });
  strategy.setHttpAdapter(app.getHttpAdapter() as never);
  app.connectMicroservice({ strategy } as never);
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  return { url: `${await app.getUrl()}/mcp`, end: () => app.close() };
};

describe.each<[string, Start]>([
  ['Express', withExpress],
  ['fastmcp', withFastMcp],
  ['mcp-handler', withMcpHandler],
  ['@rekog/mcp-nest', withMcpNest],
])('a server of %s', (_name, start) => {
  it('announces the extension, and a repeat through another session has no second effect', async () => {
    let effects = 0;
    await using tx = createServerTx({ ledger: memoryLedger(), scope: 'test' });
    const server = await start(tx, () => {
      effects += 1;
      return `receipt ${effects}`;
    });
    const answers: Record<string, unknown>[] = [];
    for (const attempt of [1, 2]) {
      const client = new Client({ name: 'test', version: '1' });
      const options = server.fetch === undefined ? {} : { fetch: server.fetch };
      await client.connect(new StreamableHTTPClientTransport(new URL(server.url), options) as never);
      await using caller = callerOf(client, false);
      expect(speaksMcpTx(client.getServerCapabilities())).toBe(true);
      const block = { 'io.github.mcp-tx/reliability': { v: 1, operationId: 'op_a', attempt } };
      answers.push(await caller.call('pay', { orderId: '42' }, block));
    }
    expect(effects).toBe(1);
    expect(answers.map((answer) => blockOf(answer).duplicate)).toEqual([false, true]);
    expect(bytesOf(answers[1] as object as never)).toBe(bytesOf(answers[0] as object as never));
    expect(JSON.stringify(answers[0])).toContain('receipt 1');
    await server.end();
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
