import { setTimeout as sleep } from 'node:timers/promises';
import type { McpTx, McpTxOptions } from '@mcp-tx/core';
import { createMcpTx, memoryLedger } from '@mcp-tx/core';
import { http } from '@mcp-tx/core/sdk-v1';
import type { FaultyHttpOptions } from '@mcp-tx/testing/faulty-server';
import { startFaultyHttpServer } from '@mcp-tx/testing/faulty-server';
import { afterEach, expect, it, vi } from 'vitest';
import type { DirectEvent, LambdaHandlerOptions } from '../src/index.ts';
import { createLambdaHandler, createStreamingHandler, lambdaDefaults } from '../src/index.ts';
import { contextOf } from './support/gateway.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const end of ends.splice(0).reverse()) await end();
});

async function functionOver(
  server: FaultyHttpOptions = {},
  options: Partial<LambdaHandlerOptions> = {},
  instance: Partial<McpTxOptions> = {},
) {
  const faulty = await startFaultyHttpServer(server);
  ends.push(() => faulty.close());
  let made = 0;
  const client = (): McpTx => {
    made += 1;
    const tx = createMcpTx({ ...lambdaDefaults(), server: http({ url: faulty.url }), ...instance });
    ends.push(() => tx.close({ graceMs: 0 }));
    return tx;
  };
  const handler = createLambdaHandler({ client, authenticate: 'single-tenant', tools: ['pay', 'slow'], ...options });
  const invoke = async (event: DirectEvent, remainingMs = 20_000) => {
    const { statusCode, body } = await handler(event, contextOf(remainingMs));
    return { statusCode, body: JSON.parse(body) as Record<string, unknown> };
  };
  return { faulty, invoke, handler, made: () => made };
}

it('answers a direct event as Python’s handler does, and a repeat with the same result', async () => {
  const { invoke, faulty } = await functionOver();
  const event = { tool_name: 'pay', arguments: { orderId: 'a' }, idempotency_key: 'order "a"' };
  const first = await invoke(event);
  expect(first).toMatchObject({
    statusCode: 200,
    body: { success: true, metadata: { attempts: 1, duplicate: false } },
  });
  const { remaining_time_ms: left } = first.body.metadata as { remaining_time_ms: number };
  expect(left).toBeGreaterThan(10_000);
  const second = await invoke(event);
  expect(second.body).toMatchObject({ result: first.body.result, metadata: { duplicate: true } });
  expect(faulty.effects()).toHaveLength(1);
});

it.each([
  ['no tool', {}, 400, 'REQUEST_INVALID'],
  ['a tool that is no name', { tool_name: 7 }, 400, 'REQUEST_INVALID'],
  ['a tool off the list', { tool_name: 'append', idempotency_key: 'k' }, 404, 'TOOL_NOT_FOUND'],
  ['no key', { tool_name: 'pay', arguments: { orderId: 'a' } }, 400, 'KEY_REQUIRED'],
  ['a key that is no text', { tool_name: 'pay', idempotency_key: 7 }, 400, 'KEY_INVALID'],
  ['a key beyond ASCII', { tool_name: 'pay', idempotency_key: 'é' }, 400, 'KEY_INVALID'],
  ['arguments that are a list', { tool_name: 'pay', arguments: [], idempotency_key: 'k' }, 400, 'BODY_INVALID'],
  ['an event that is none', null as never, 400, 'REQUEST_INVALID'],
])('%s is %d', async (_what, event, statusCode, code) => {
  const { invoke, faulty } = await functionOver();
  expect(await invoke(event)).toMatchObject({ statusCode, body: { success: false, code, execution: 'none' } });
  expect(faulty.faults().arrivals).toHaveLength(0);
});

it('the remaining time is the deadline: a sent call is 500 before the function is killed', async () => {
  const { invoke } = await functionOver({}, { marginMs: 200 });
  await invoke({ tool_name: 'pay', arguments: { orderId: 'warm' }, idempotency_key: 'warm' });
  const startedAt = performance.now();
  const { statusCode, body } = await invoke(
    { tool_name: 'slow', arguments: { ms: 5_000 }, idempotency_key: 'k' },
    1_000,
  );
  const tookMs = performance.now() - startedAt;
  expect([statusCode, body.code, body.execution]).toEqual([500, 'IN_DOUBT', 'unknown']);
  expect(tookMs).toBeGreaterThan(750);
  expect(tookMs).toBeLessThan(1_000);
});

it('too little time is 504, and nothing is sent', async () => {
  const { invoke, faulty } = await functionOver();
  const event = { tool_name: 'pay', arguments: { orderId: 'a' }, idempotency_key: 'k' };
  expect(await invoke(event, 540)).toMatchObject({ statusCode: 504, body: { execution: 'none', retryable: true } });
  expect(faulty.faults().arrivals).toHaveLength(0);
});

it('an instance that could not be made fails this invocation, and the next one tries anew', async () => {
  let tries = 0;
  const faulty = await startFaultyHttpServer();
  ends.push(() => faulty.close());
  const client = async (): Promise<McpTx> => {
    tries += 1;
    if (tries === 1) throw new Error('no such parameter');
    const tx = createMcpTx({ ...lambdaDefaults(), server: http({ url: faulty.url }) });
    ends.push(() => tx.close());
    return tx;
  };
  const { invoke } = await functionOver({}, { client });
  const event = { tool_name: 'pay', arguments: { orderId: 'a' }, idempotency_key: 'k' };
  expect(await invoke(event)).toMatchObject({ statusCode: 502, body: { execution: 'none', retryable: true } });
  expect(await invoke(event)).toMatchObject({ statusCode: 200 });
});

it('keeps its instance while that gives signs of life, and makes another one when a freeze has killed it', async () => {
  const { invoke, faulty, made } = await functionOver({}, { checkIfIdleMs: 50 });
  const pay = (key: string) => invoke({ tool_name: 'pay', arguments: { orderId: key }, idempotency_key: key });
  await Promise.all([pay('a'), pay('b'), pay('c')]);
  await sleep(100);
  expect([(await pay('d')).statusCode, made()]).toEqual([200, 1]);
  await faulty.close();
  await sleep(100);
  expect([(await pay('e')).statusCode, made()]).toEqual([502, 2]);
});

it('an event that comes again after its function was killed replays doubt, and has no second effect', async () => {
  const ledger = memoryLedger();
  const script = [{ tool: 'pay', fault: 'drop-response' }] as const;
  const { invoke, faulty } = await functionOver({ script }, {}, { ledger, name: 'payments' });
  const event = { tool_name: 'pay', arguments: { orderId: 'a' }, idempotency_key: 'k' };
  void invoke(event, 1_500).catch(() => undefined); // killed: nobody hears of it again
  while (faulty.effects().length === 0) await sleep(10);
  const again = createMcpTx({ ...lambdaDefaults(), server: http({ url: faulty.url }), ledger, name: 'payments' });
  ends.push(() => again.close());
  const other = createLambdaHandler({ client: again, authenticate: 'single-tenant', tools: ['pay'] });
  const busy = await other(event, contextOf(10_000));
  expect(busy.statusCode).toBe(409);
  await sleep(3_000); // the lease of an invocation lasts as long as it could have run, and its margin
  expect((await other(event, contextOf(10_000))).statusCode).toBe(500);
  expect([faulty.effects().length, faulty.faults().arrivals.length]).toEqual([1, 1]);
}, 20_000);

it('streams progress where the runtime can, and says so where it cannot', async () => {
  const options = {
    client: () => Promise.reject(new Error('never')),
    authenticate: 'single-tenant',
    tools: '*',
  } as const;
  expect(() => createStreamingHandler(options)).toThrow(/streamifyResponse/);
  const written: string[] = [];
  const heads: { statusCode: number }[] = [];
  const stream = {
    write: (text: string) => written.push(text) > 0,
    end: () => written.push('end'),
    once: () => undefined,
  };
  const from = (_raw: unknown, head: { statusCode: number }) => {
    heads.push(head);
    return stream;
  };
  vi.stubGlobal('awslambda', {
    streamifyResponse: (handler: unknown) => handler,
    HttpResponseStream: { from },
  });
  const faulty = await startFaultyHttpServer();
  const tx = createMcpTx({ ...lambdaDefaults(), server: http({ url: faulty.url }) });
  ends.push(
    () => faulty.close(),
    () => tx.close(),
  );
  const handler = createStreamingHandler({ client: tx, authenticate: 'single-tenant', tools: ['progress'] }) as (
    ...args: unknown[]
  ) => Promise<void>;
  const event = {
    version: '2.0',
    rawPath: '/execute/progress',
    headers: { 'idempotency-key': 'k', accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ arguments: { steps: 3, everyMs: 80 } }),
    requestContext: { http: { method: 'POST' } },
  };
  await handler(event, {}, contextOf(10_000));
  expect(heads[0]).toMatchObject({ statusCode: 200, headers: { 'content-type': 'text/event-stream' } });
  expect(written.filter((text) => text.startsWith('event: progress')).length).toBeGreaterThanOrEqual(2);
  expect(written.at(-2)).toMatch(/^event: result/);
  expect(written.at(-1)).toBe('end');
});
