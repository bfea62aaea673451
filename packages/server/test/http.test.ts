// Over real Streamable HTTP: sessions come and go, connections break after the effect, and principals are told apart by their token.
import { createMcpTx } from '@mcp-tx/core';
import { memoryLedger } from '@mcp-tx/core/ledger';
import { http } from '@mcp-tx/core/sdk-v1';
import { http as httpV2 } from '@mcp-tx/core/sdk-v2';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { describe, expect, it, vi } from 'vitest';
import { createServerTx, currentCall } from '../src/index.ts';
import { startHttp } from './support/http-server.ts';
import type { Caller } from './support/lines.ts';
import { blockOf, bytesOf, callerOf, meta, v2McpServer } from './support/lines.ts';
import { createTools } from './support/tools.ts';

vi.setConfig({ testTimeout: 30_000 });
const ORDER = { orderId: '42' };

async function login(url: string, token: string): Promise<Caller> {
  const client = new Client({ name: 'test', version: '1' });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }) as never);
  return callerOf(client, false);
}

describe.each([
  ['v1', http],
  ['v2', httpV2],
] as const)('the engine over SDK %s', (_line, connectTo) => {
  it.each([
    ['streams of events', false],
    ['JSON bodies', true],
  ])(
    '[G:S7] connections that break after the effect, with %s: the call completes and nothing runs twice',
    async (_what, json) => {
      const tools = createTools();
      await using serverTx = createServerTx({ ledger: memoryLedger(), scope: 'test' });
      await using server = await startHttp({ tx: serverTx, tools, drop: [1, 3], json });
      await using tx = createMcpTx({
        server: connectTo({ url: server.url }),
        timeoutMs: 20_000,
        retry: { baseDelayMs: 10 },
      });
      for (const orderId of ['a', 'b']) {
        const { meta: told } = await tx.callTool('pay', { orderId }, { idempotencyKey: orderId });
        expect(told).toMatchObject({ guarantee: 'effectively-once', execution: 'done', attempts: 2 });
      }
      expect(tools.done.map(({ orderId }) => orderId)).toEqual(['a', 'b']);
      expect(server.dropped).toBe(2);
      await tx.close();
    },
  );

  it('[G:S1] what another process of the server is still running is waited for there, too', async () => {
    const tools = createTools();
    const ledger = memoryLedger();
    await using oneTx = createServerTx({ ledger, scope: 'test' });
    await using otherTx = createServerTx({ ledger, scope: 'test' });
    await using one = await startHttp({ tx: oneTx, tools });
    await using other = await startHttp({ tx: otherTx, tools });
    const options = { name: 'shop', timeoutMs: 20_000, retry: { baseDelayMs: 10, maxDelayMs: 50 } };
    await using here = createMcpTx({ ...options, server: connectTo({ url: one.url }) });
    await using there = createMcpTx({ ...options, server: connectTo({ url: other.url }) });
    const refusals = vi.fn();
    there.on('attempt.ended', ({ says }) => says.includes('running') && refusals());
    const first = here.callTool('slow', ORDER, { idempotencyKey: '42' });
    await tools.begun.promise;
    const repeat = there.callTool('slow', ORDER, { idempotencyKey: '42' });
    await vi.waitFor(() => expect(refusals.mock.calls.length).toBeGreaterThan(0), 5_000);
    tools.gate.resolve();
    const [ran, heard] = await Promise.all([first, repeat]);
    expect(heard.result).toEqual(ran.result);
    expect(heard.meta).toMatchObject({ attempts: 1, execution: 'done' });
    expect(tools.effects()).toBe(1);
  });
});

it('[G:S1] repeats through two sessions at the same time run once', async () => {
  const tools = createTools();
  await using serverTx = createServerTx({ ledger: memoryLedger(), scope: ({ authInfo }) => authInfo?.clientId });
  await using server = await startHttp({ tx: serverTx, tools });
  await using one = await login(server.url, 'anna');
  await using other = await login(server.url, 'anna');
  const first = one.call('slow', ORDER, meta('op_a'));
  await tools.begun.promise;
  const second = other.call('slow', ORDER, meta('op_a'));
  tools.gate.resolve();
  expect(bytesOf(await second)).toBe(bytesOf(await first));
  expect(tools.effects()).toBe(1);
});

it('[G:S4] another token with the same operation id gets nothing of it', async () => {
  const tools = createTools();
  await using serverTx = createServerTx({ ledger: memoryLedger(), scope: ({ authInfo }) => authInfo?.clientId });
  await using server = await startHttp({ tx: serverTx, tools });
  await using anna = await login(server.url, 'anna');
  await using mallory = await login(server.url, 'mallory');
  const hers = await anna.call('pay', ORDER, meta('op_a'));
  const his = await mallory.call('pay', ORDER, meta('op_a'));
  expect(tools.effects()).toBe(2);
  expect(bytesOf(his)).not.toBe(bytesOf(hers));
});

it('serves MCP 2026-07-28, where every request has a server of its own and a broken one is cancelled', async () => {
  const tools = createTools({
    async careful(args, ctx) {
      tools.begun.resolve();
      await tools.gate.promise;
      if ((ctx as { mcpReq: { signal: AbortSignal } }).mcpReq.signal.aborted) throw new Error('cancelled');
      expect(currentCall()?.operationId).toBe('op_a');
      return tools.bodies.pay?.(args, ctx);
    },
  });
  await using serverTx = createServerTx({ ledger: memoryLedger(), scope: 'test' });
  const handler = createMcpHandler(() => serverTx.wrap(v2McpServer(tools.bodies)) as never);
  const fetch = (url: URL | string, init?: RequestInit): Promise<Response> => handler.fetch(new Request(url, init));
  const client = new ClientV2({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new TransportV2(new URL('http://127.0.0.1/mcp'), { fetch: fetch as never }));
  expect(client.getProtocolEra()).toBe('modern');
  await using caller = callerOf(client as never, true);
  const gone = caller.call('careful', ORDER, meta('op_a'), { timeout: 50 });
  await tools.begun.promise;
  await expect(gone).rejects.toThrow(/timed out/);
  const again = caller.call('careful', ORDER, meta('op_a', { attempt: 2 }));
  tools.gate.resolve();
  expect(blockOf(await again)).toMatchObject({ ack: true, duplicate: true, attempt: 2 });
  expect(bytesOf(await caller.call('careful', ORDER, meta('op_a')))).toBe(bytesOf(await again));
  expect(tools.effects()).toBe(1);
  await handler.close();
});
