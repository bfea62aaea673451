// What makes two requests one operation, and what stands in the ledger of it.
import { virtualClock } from '@mcp-tx/core';
import { memoryLedger } from '@mcp-tx/core/ledger';
import { expect, it } from 'vitest';
import { createServerTx, withMcpTx } from '../src/index.ts';
import { blockOf, bytesOf, connect, meta, v1McpServer, v1Server } from './support/lines.ts';
import { createTools, text } from './support/tools.ts';

const ORDER = { orderId: '42' };

it('[G:S2] two calls under one id at the same time: the first one runs, the other one is a conflict and not its repeat', async () => {
  const tools = createTools();
  const server = withMcpTx(v1McpServer(tools.bodies), { ledger: memoryLedger(), scope: 'test' });
  await using caller = await connect(server);
  const first = caller.call('slow', ORDER, meta('op_a'));
  await tools.begun.promise;
  const other = await caller.fail('slow', { orderId: '43' }, meta('op_a'));
  tools.gate.resolve();
  expect(blockOf(other)).toMatchObject({ reason: 'conflict', processed: false });
  expect(blockOf(await first)).toMatchObject({ ack: true, duplicate: false });
  expect(tools.done).toEqual([{ tool: 'slow', orderId: '42' }]);
});

it('servers of different names over one ledger have different operations', async () => {
  const tools = createTools();
  const ledger = memoryLedger();
  const make = (name: string): object => withMcpTx(v1McpServer(tools.bodies), { ledger, scope: 'test', name });
  await using payments = await connect(make('payments'));
  await using refunds = await connect(make('refunds'));
  await payments.call('pay', ORDER, meta('op_a'));
  await refunds.call('pay', ORDER, meta('op_a'));
  expect(tools.effects()).toBe(2);
});

it('the record names scope, server, tool and the client’s id, and keeps neither arguments nor metadata', async () => {
  const tools = createTools();
  const ledger = memoryLedger();
  const options = { ledger, scope: 'anna', name: 'payments' };
  await using caller = await connect(withMcpTx(v1McpServer(tools.bodies), options));
  await caller.call('pay', ORDER, meta('op_a'));
  const [record] = (await ledger.list({ limit: 1 })).records;
  expect(record).toMatchObject({
    scope: 'anna',
    serverName: 'payments',
    tool: 'pay',
    idempotencyKey: 'op_a',
    attempts: 1,
  });
  expect(record).toMatchObject({ state: 'completed', mode: 'at-most-once', requestId: 'req_1' });
  expect(record?.arguments).toBeUndefined();
  expect(JSON.stringify(record?.outcome)).not.toContain('io.github.mcp-tx');
});

it('a sweep of the ledger finds what a stopped process left, and calls it doubt', async () => {
  const tools = createTools();
  const clock = virtualClock();
  const ledger = memoryLedger({ clock });
  const stopped = { ...ledger, renewAll: async () => [] };
  for (const name of ['claim', 'settle', 'find', 'resolve', 'release'] as const) {
    Object.assign(stopped, { [name]: ledger[name].bind(ledger) });
  }
  const options = { ledger: stopped as never, scope: 'test', name: 'x', clock, leaseMs: 1_000 };
  await using caller = await connect(withMcpTx(v1McpServer(tools.bodies), options));
  const running = caller.call('slow', ORDER, meta('op_a'));
  await tools.begun.promise;
  await clock.advance(1_001);
  expect(await ledger.sweep(10)).toMatchObject([{ action: 'in_doubt' }]);
  tools.gate.resolve();
  await running;
  expect((await ledger.stats({})).byState).toMatchObject({ completed: 1, in_doubt: 0 });
});

it('a tool that hands on the answer of another such server keeps the other metadata, and only this server’s acknowledgement', async () => {
  const theirs = { v: 1, ack: true, processed: true, duplicate: true, operationId: 'op_theirs' };
  const tools = createTools({
    relay: () => ({ ...text('x'), _meta: { 'io.github.mcp-tx/reliability': theirs, 'com.example/trace': 'y' } }),
  });
  const ledger = memoryLedger();
  await using caller = await connect(withMcpTx(v1Server(tools.bodies), { ledger, scope: 'test' }));
  const first = await caller.call('relay', ORDER, meta('op_a'));
  const second = await caller.call('relay', ORDER, meta('op_a'));
  expect(blockOf(first)).toMatchObject({ operationId: 'op_a', duplicate: false });
  expect(first._meta).toMatchObject({ 'com.example/trace': 'y' });
  expect(bytesOf(second)).toBe(bytesOf(first));
  const [record] = (await ledger.list({ limit: 1 })).records;
  expect(JSON.stringify(record?.outcome)).not.toContain('op_theirs');
});

it('a listener that throws changes nothing', async () => {
  const tools = createTools();
  const onError = (): never => {
    throw new Error('the log is full');
  };
  const tx = createServerTx({ ledger: memoryLedger(), scope: () => Promise.reject(new Error('x')), onError });
  await using caller = await connect(tx.wrap(v1McpServer(tools.bodies)));
  expect(blockOf(await caller.fail('pay', ORDER, meta('op_a')))).toMatchObject({ reason: 'forbidden' });
});
