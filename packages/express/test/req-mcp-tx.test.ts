import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpTx } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import { http, stdio } from '@mcp-tx/core/sdk-v1';
import { faultyStdio, startFaultyHttpServer } from '@mcp-tx/testing/faulty-server';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Express, Request } from 'express';
import express from 'express';
import { expect, it } from 'vitest';
import type { McpTxMiddlewareOptions } from '../src/index.ts';
import { getMcpTx, mcpTx, mcpTxErrorHandler } from '../src/index.ts';
import { listen } from './support/app.ts';

const tools = { read_balance: { readOnly: true }, echo: { readOnly: true }, look: { readOnly: true } };

/** An app whose only route calls the tool in its path, with the arguments in its query. */
function appOf(options: Partial<McpTxMiddlewareOptions> & Pick<McpTxMiddlewareOptions, 'client'>): Express {
  const app = express().use(mcpTx({ authenticate: 'single-tenant', ...options }));
  app.get('/call/:tool', async (req, res) => {
    const key = req.get('idempotency-key');
    const options = key === undefined ? {} : { idempotencyKey: key };
    res.json(await req.mcpTx.callTool(String(req.params.tool), { ...req.query }, options));
  });
  return app.use(mcpTxErrorHandler());
}

it('a request that calls nothing asks nobody, makes nothing and shows nothing', async () => {
  const asked: string[] = [];
  const app = express().use(
    mcpTx({
      client: () => {
        throw new Error(`made after ${asked.push('client')}`);
      },
      authenticate: () => {
        asked.push('authenticate');
        return null;
      },
    }),
  );
  app.get('/', (req, res) => void res.json(Object.keys(req).includes('mcpTx')));
  await using listening = await listen(app);
  expect(await (await fetch(listening.url)).json()).toBe(false);
  expect(asked).toEqual([]);
});

it('50 concurrent first requests make one instance and one connection', async () => {
  await using server = await startFaultyHttpServer();
  let made = 0;
  let tx: McpTx | undefined;
  const client = async (): Promise<McpTx> => {
    made += 1;
    await sleep(20);
    tx = createMcpTx({ server: http({ url: server.url }), tools });
    return tx;
  };
  await using listening = await listen(appOf({ client }));
  const replies = await Promise.all(Array.from({ length: 50 }, () => fetch(`${listening.url}/call/read_balance`)));
  expect(replies.map(({ status }) => status)).toEqual(Array(50).fill(200));
  expect([made, server.sessions, server.faults().arrivals.length]).toEqual([1, 1, 50]);
  await tx?.close();
});

it('an instance that cannot be made fails those who wait, and the next request tries anew', async () => {
  await using server = await startFaultyHttpServer();
  await using tx = createMcpTx({ server: http({ url: server.url }), tools });
  let tries = 0;
  const client = async (): Promise<McpTx> => {
    tries += 1;
    if (tries > 1) return tx;
    await sleep(100); // so that all three wait for it
    throw new Error('no such secret');
  };
  await using listening = await listen(appOf({ client }));
  const ask = () => fetch(`${listening.url}/call/read_balance`);
  const failed = await Promise.all([ask(), ask(), ask()]);
  expect(failed.map(({ status }) => status)).toEqual([502, 502, 502]);
  const problem = await failed[0]?.text();
  expect(problem).toContain('"execution":"none","retryable":true');
  expect(problem).not.toContain('secret');
  expect([(await ask()).status, tries]).toEqual([200, 2]);
});

it('a thousand requests and a killed server later there were two processes', async () => {
  const server = faultyStdio();
  await using tx = createMcpTx({ server: stdio(server), tools });
  await using listening = await listen(appOf({ client: tx }));
  const pay = async (n: number): Promise<number> => {
    const reply = await fetch(`${listening.url}/call/pay?orderId=${n}`, { headers: { 'idempotency-key': `k${n}` } });
    return reply.status;
  };
  for (let n = 0; n < 1_000; n += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => pay(n + i)));
  const pids = () => new Set(server.effects().map(({ pid }) => pid));
  expect([server.effects().length, pids().size]).toEqual([1_000, 1]);
  process.kill([...pids()][0] as number, 'SIGKILL');
  await sleep(100);
  expect(await pay(1_000)).toBe(200);
  expect(pids().size).toBe(2);
}, 30_000);

/** A server in this process whose tool `look` waits until it is let go, and tells when it was cancelled. */
async function lookingServer() {
  const cancelled: string[] = [];
  const waiting = new Map<string, () => void>();
  const server = new McpServer({ name: 'looking', version: '1' });
  server.registerTool('look', {}, (extra) => wait('look', extra.signal));
  server.registerTool('pay', {}, (extra) => wait('pay', extra.signal));
  function wait(tool: string, signal: AbortSignal) {
    signal.addEventListener('abort', () => cancelled.push(tool));
    return new Promise<{ content: { type: 'text'; text: string }[] }>((resolve) => {
      waiting.set(tool, () => resolve({ content: [{ type: 'text', text: tool }] }));
    });
  }
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await server.connect(theirs);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(ours);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await sleep(5);
  };
  return { client, cancelled, waiting, until };
}

it.each([
  ['a read-only call without a key is cancelled', 'look', undefined, ['look']],
  ['a read-only call with a key goes on', 'look', 'k', []],
  ['a call that is not known to be safe goes on', 'pay', undefined, []],
])('when the client goes, %s', async (_what, tool, key, expected) => {
  const { client, cancelled, waiting, until } = await lookingServer();
  await using tx = createMcpTx({ server: client, tools, settleGraceMs: 5_000 });
  const ends: string[] = [];
  tx.on('operation.settled', ({ outcome }) => ends.push(outcome));
  await using listening = await listen(appOf({ client: tx }));
  const going = request(`${listening.url}/call/${tool}`, {
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
  going.on('error', () => undefined).end();
  await until(() => waiting.has(tool));
  going.destroy();
  if (expected.length > 0) await until(() => cancelled.length > 0);
  else await sleep(100);
  expect(cancelled).toEqual(expected);
  waiting.get(tool)?.();
  if (expected.length === 0) await until(() => ends.includes('completed'));
});

it('a client that goes after its answer cancels nothing, and does not touch the call of another', async () => {
  const { client, cancelled, waiting, until } = await lookingServer();
  await using tx = createMcpTx({ server: client, tools });
  await using listening = await listen(appOf({ client: tx }));
  const first = request(`${listening.url}/call/look`).end();
  await until(() => waiting.has('look'));
  waiting.get('look')?.();
  waiting.clear();
  const [response] = (await once(first, 'response')) as [NodeJS.ReadableStream];
  response.resume();
  await once(response, 'end');
  const second = fetch(`${listening.url}/call/look`);
  await until(() => waiting.has('look'));
  first.destroy();
  await sleep(50);
  expect(cancelled).toEqual([]);
  waiting.get('look')?.();
  expect((await second).status).toBe(200);
});

it('the scope is the principal’s, and no option of a call changes it', async () => {
  await using server = await startFaultyHttpServer();
  await using tx = createMcpTx({ server: http({ url: server.url }) });
  const authenticate: McpTxMiddlewareOptions['authenticate'] = ({ header }) => {
    const scope = header('x-verified');
    return scope === undefined ? null : { scope };
  };
  const app = express().use(mcpTx({ client: tx, authenticate }));
  app.get('/pay', async (req, res) => {
    const sly = req.query.scope === undefined ? {} : { scope: String(req.query.scope) };
    const { meta } = await req.mcpTx.callTool('pay', { orderId: 'a' }, { idempotencyKey: 'k', ...sly });
    const record = await req.mcpTx.getOperation(meta.operationId);
    res.json({ scope: record?.scope, mine: (await req.mcpTx.listOperations()).records.length });
  });
  await using listening = await listen(app.use(mcpTxErrorHandler()));
  const ask = async (path: string, who?: string) => {
    const reply = await fetch(`${listening.url}${path}`, who === undefined ? {} : { headers: { 'x-verified': who } });
    return [reply.status, (await reply.json()) as Record<string, unknown>] as const;
  };
  expect(await ask('/pay', 'alice')).toEqual([200, { scope: 'alice', mine: 1 }]);
  expect(await ask('/pay', 'bob')).toEqual([200, { scope: 'bob', mine: 1 }]);
  expect(await ask('/pay?scope=alice', 'bob')).toMatchObject([400, { code: 'CALL_INVALID' }]);
  expect(await ask('/pay')).toMatchObject([401, { code: 'UNAUTHENTICATED', execution: 'none' }]);
});

it('the deadline of a request ends all of its calls', async () => {
  await using server = await startFaultyHttpServer();
  await using tx = createMcpTx({ server: http({ url: server.url }), settleGraceMs: 100 });
  const app = express().use(mcpTx({ client: tx, authenticate: 'single-tenant' }));
  app.get('/', async (req, res) => void res.json(await req.mcpTx.callTool('slow', { ms: 3_000 })));
  await using listening = await listen(app.use(mcpTxErrorHandler()));
  const startedAt = performance.now();
  const late = await fetch(listening.url, { headers: { 'mcp-tx-timeout-ms': '200' } });
  expect([late.status, ((await late.json()) as { execution: string }).execution]).toEqual([500, 'unknown']);
  expect(performance.now() - startedAt).toBeLessThan(2_500);
  expect((await fetch(listening.url, { headers: { 'mcp-tx-timeout-ms': 'soon' } })).status).toBe(400);
});

it('nothing that lives on carries the context of the first request', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const { client } = await lookingServer();
  const make = (): McpTx => {
    seen.push(storage.getStore());
    return createMcpTx({ server: client, tools });
  };
  const app = express().use((_req, _res, next) => storage.run('first', next));
  app.use(mcpTx({ client: make, authenticate: 'single-tenant' }));
  app.get('/', async (req, res) => void res.json(await req.mcpTx.listOperations()));
  await using listening = await listen(app);
  expect((await fetch(listening.url)).status).toBe(200);
  expect(seen).toEqual([undefined]);
});

it('what a caller proves itself with goes no further', async () => {
  await using server = await startFaultyHttpServer();
  const heard: (string | undefined)[] = [];
  const recorder = createServer((incoming, response) => {
    heard.push(incoming.headers.authorization, incoming.headers.cookie);
    const { method, headers } = incoming;
    const onward = request(server.url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(recorder, 'listening');
  await using tx = createMcpTx({
    server: http({ url: `http://127.0.0.1:${(recorder.address() as AddressInfo).port}/mcp` }),
    tools,
  });
  await using listening = await listen(appOf({ client: tx }));
  const headers = { authorization: 'Bearer canary', cookie: 'session=canary', 'idempotency-key': 'k' };
  expect((await fetch(`${listening.url}/call/pay?orderId=a`, { headers })).status).toBe(200);
  expect(heard.length).toBeGreaterThan(0);
  expect(heard.filter((value) => value !== undefined)).toEqual([]);
  recorder.closeAllConnections();
  recorder.close();
});

it('has another name, if that is wanted, and then getMcpTx finds it', async () => {
  await using server = await startFaultyHttpServer();
  await using tx = createMcpTx({ server: http({ url: server.url }), tools });
  const app = express().use(mcpTx({ client: tx, authenticate: 'single-tenant', property: 'tools' }));
  app.get('/', async (req, res) => {
    const scope = getMcpTx(req);
    res.json([scope === (req as Request & { tools?: unknown }).tools, req.mcpTx === undefined]);
  });
  await using listening = await listen(app);
  expect(await (await fetch(listening.url)).json()).toEqual([true, true]);
  expect(() => getMcpTx({} as Request)).toThrow(/app\.use/);
});

it('needs to be told who asks', () => {
  expect(() => mcpTx({ client: () => Promise.reject(new Error('never')), authenticate: undefined as never })).toThrow(
    /authenticate/,
  );
});
