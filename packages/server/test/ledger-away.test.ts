// What is told when the ledger fails, when a lease runs out, and what the server of a stopped process leaves behind.

import { virtualClock } from '@mcp-tx/core';
import type { Lease, Ledger } from '@mcp-tx/core/ledger';
import { McpTxError, memoryLedger } from '@mcp-tx/core/ledger';
import { describe, expect, it, vi } from 'vitest';
import { createServerTx, STATUS_METHOD, withMcpTx } from '../src/index.ts';
import { blockOf, bytesOf, connect, meta, v1McpServer, v1Server } from './support/lines.ts';
import { createTools } from './support/tools.ts';

const ORDER = { orderId: '42' };

/** The ledger, with some methods of its own. */
function overridden(ledger: Ledger, methods: Partial<Ledger>): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      if (Object.hasOwn(methods, name)) return methods[name as keyof Ledger];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const away = (): never => {
  throw new McpTxError('LEDGER_UNAVAILABLE', 'the disk is full');
};

it('[G:S5] runs nothing that it could not claim first, and says that it does not know', async () => {
  const tools = createTools();
  const claim = vi.fn(async () => away());
  const onError = vi.fn();
  const ledger = overridden(memoryLedger(), { claim });
  await using caller = await connect(withMcpTx(v1McpServer(tools.bodies), { ledger, scope: 'test', onError }));
  const failure = await caller.fail('pay', ORDER, meta('op_a'));
  expect(failure.code).toBe(-32_603);
  expect(blockOf(failure)).toBeUndefined();
  expect(tools.effects()).toBe(0);
  expect(claim).toHaveBeenCalledTimes(3);
  expect(onError).toHaveBeenCalledTimes(1);
});

it('repeats a claim whose answer was lost, and it is the same claim', async () => {
  const tools = createTools();
  const inner = memoryLedger();
  let tries = 0;
  const claim: Ledger['claim'] = async (request) => {
    const answer = await inner.claim(request);
    tries += 1;
    return tries === 1 ? away() : answer;
  };
  const ledger = overridden(inner, { claim });
  await using caller = await connect(withMcpTx(v1McpServer(tools.bodies), { ledger, scope: 'test' }));
  expect(blockOf(await caller.call('pay', ORDER, meta('op_a')))).toMatchObject({ ack: true, duplicate: false });
  expect(tools.effects()).toBe(1);
});

it('[G:S5] claims before the tool runs', async () => {
  const ledger = memoryLedger();
  const states: unknown[] = [];
  const tools = createTools({
    async look(args, context) {
      const page = await ledger.list({ limit: 10 });
      states.push(page.records.map(({ state, tool }) => [state, tool]));
      return tools.bodies.pay?.(args, context);
    },
  });
  await using caller = await connect(withMcpTx(v1McpServer(tools.bodies), { ledger, scope: 'test' }));
  await caller.call('look', ORDER, meta('op_a'));
  expect(states).toEqual([[['sent', 'look']]]);
});

it('answers while the record cannot be written, writes it later, and repeats never run the tool', async () => {
  const tools = createTools();
  const inner = memoryLedger();
  let isAway = true;
  const settle: Ledger['settle'] = async (lease, outcome) => (isAway ? away() : inner.settle(lease, outcome));
  const clock = virtualClock();
  const ledger = overridden(inner, { settle });
  const tx = createServerTx({ ledger, scope: 'test', clock });
  await using caller = await connect(tx.wrap(v1McpServer(tools.bodies)));
  const first = await caller.call('pay', ORDER, meta('op_a'));
  expect(blockOf(first)).toMatchObject({ ack: true, processed: true });
  expect(blockOf(first)).not.toHaveProperty('storedAt');
  const second = await caller.call('pay', ORDER, meta('op_a'));
  expect(bytesOf(second)).toBe(bytesOf(first));
  expect((await inner.stats({})).byState).toMatchObject({ sent: 1, completed: 0 });
  isAway = false;
  await clock.advance(10_000);
  expect((await inner.stats({})).byState).toMatchObject({ sent: 0, completed: 1 });
  const third = await caller.call('pay', ORDER, meta('op_a'));
  expect(bytesOf(third)).toBe(bytesOf(first));
  expect(blockOf(third)).toHaveProperty('storedAt');
  expect(tools.effects()).toBe(1);
});

it('keeps a slow tool’s lease alive, and another process hears that it is under way', async () => {
  const tools = createTools();
  const clock = virtualClock();
  const ledger = memoryLedger({ clock });
  const options = { ledger, scope: 'test', clock, leaseMs: 3_000 };
  await using here = await connect(withMcpTx(v1McpServer(tools.bodies), options));
  await using there = await connect(withMcpTx(v1McpServer(tools.bodies), options));
  const first = here.call('slow', ORDER, meta('op_a'));
  await tools.begun.promise;
  await clock.advance(60_000);
  const told = await there.fail('slow', ORDER, meta('op_a'));
  expect(told.code).toBe(-32_603);
  expect(blockOf(told)).toMatchObject({
    ack: false,
    processed: true,
    reason: 'in-progress',
    retryAfterMs: expect.any(Number),
  });
  expect(blockOf(told).retryAfterMs).toBeGreaterThan(0);
  expect(await there.ask(STATUS_METHOD, { operationId: 'op_a' })).toMatchObject({ state: 'in-progress' });
  tools.gate.resolve();
  await first;
  expect(bytesOf(await there.call('slow', ORDER, meta('op_a')))).toBe(bytesOf(await first));
  expect(tools.effects()).toBe(1);
});

it('[G:S6] an owner that went silent leaves doubt behind, which its own late answer ends', async () => {
  const tools = createTools();
  const clock = virtualClock();
  const inner = memoryLedger({ clock });
  const renewAll = async (leases: readonly Lease[]): Promise<readonly boolean[]> => leases.map(() => true);
  const silent = overridden(inner, { renewAll }); // a paused process renews nothing
  const common = { scope: 'test', clock, leaseMs: 3_000 };
  await using paused = await connect(withMcpTx(v1McpServer(tools.bodies), { ...common, ledger: silent }));
  await using other = await connect(withMcpTx(v1McpServer(tools.bodies), { ...common, ledger: inner }));
  const first = paused.call('slow', ORDER, meta('op_a'));
  await tools.begun.promise;
  await clock.advance(3_001);
  expect(await other.ask(STATUS_METHOD, { operationId: 'op_a' })).toMatchObject({ state: 'in-doubt' });
  for (let sends = 0; sends < 2; sends += 1) {
    const told = await other.fail('slow', ORDER, meta('op_a'));
    expect(blockOf(told)).toMatchObject({ ack: false, processed: true, reason: 'in-doubt' });
  }
  tools.gate.resolve();
  const answer = await first;
  expect(bytesOf(await other.call('slow', ORDER, meta('op_a')))).toBe(bytesOf(answer));
  expect(await other.ask(STATUS_METHOD, { operationId: 'op_a' })).toMatchObject({ state: 'completed' });
  expect(tools.effects()).toBe(1);
});

it('says of a key whose record has expired that it cannot know, and never runs it again', async () => {
  const tools = createTools();
  const clock = virtualClock();
  const options = { ledger: memoryLedger({ clock }), scope: 'test', clock, retentionMs: 1_000 };
  await using caller = await connect(withMcpTx(v1McpServer(tools.bodies), options));
  await caller.call('pay', ORDER, meta('op_a'));
  await clock.advance(1_500);
  const told = await caller.fail('pay', ORDER, meta('op_a'));
  expect(blockOf(told)).toMatchObject({ ack: false, processed: true, reason: 'expired' });
  expect(tools.effects()).toBe(1);
});

it('an operator who found that it never ran ends the doubt for clients, too', async () => {
  const tools = createTools({ break: () => Promise.reject(new Error('x')) });
  const ledger = memoryLedger();
  await using caller = await connect(withMcpTx(v1Server(tools.bodies), { ledger, scope: 'test' }));
  await caller.fail('break', ORDER, meta('op_a'));
  const { records } = await ledger.list({ limit: 1, states: ['in_doubt'] });
  const error = { code: 'NOT_EXECUTED', message: 'looked it up: never charged' } as const;
  await ledger.resolve(records[0]?.operationId ?? '', { outcome: { state: 'failed', error }, by: 'ops', reason: 'x' });
  const told = await caller.fail('break', ORDER, meta('op_a'));
  expect(blockOf(told)).toMatchObject({ ack: false, processed: false, reason: 'not-executed' });
  expect(await caller.ask(STATUS_METHOD, { operationId: 'op_a' })).toMatchObject({ state: 'not-executed' });
});

describe('close', () => {
  it('waits for the tools under way, lets their repeats wait too, and refuses everything new', async () => {
    const tools = createTools();
    const tx = createServerTx({ ledger: memoryLedger(), scope: 'test' });
    await using caller = await connect(tx.wrap(v1McpServer(tools.bodies)));
    const first = caller.call('slow', ORDER, meta('op_a'));
    await tools.begun.promise;
    const onClosed = vi.fn();
    const closing = tx.close().then(onClosed);
    const repeat = caller.call('slow', ORDER, meta('op_a'));
    const late = await caller.fail('pay', { orderId: '43' }, meta('op_b'));
    expect(late.message).toMatch(/closing/);
    expect(onClosed).not.toHaveBeenCalled();
    tools.gate.resolve();
    expect(bytesOf(await repeat)).toBe(bytesOf(await first));
    await closing;
    expect(tools.effects('43')).toBe(0);
  });

  it('tries once more to write what could not be written, and waits for nothing else', async () => {
    const tools = createTools();
    const inner = memoryLedger();
    let tries = 0;
    const settle: Ledger['settle'] = async (lease, outcome) => {
      tries += 1;
      if (tries === 1) return away();
      await new Promise((resolve) => setTimeout(resolve, 20)); // a disk takes its time
      return inner.settle(lease, outcome);
    };
    const clock = virtualClock(); // nobody moves it: no pause ends by itself
    const tx = createServerTx({ ledger: overridden(inner, { settle }), scope: 'test', clock });
    await using caller = await connect(tx.wrap(v1McpServer(tools.bodies)));
    const first = caller.call('slow', ORDER, meta('op_a'));
    await tools.begun.promise;
    const closing = tx.close();
    tools.gate.resolve();
    await first;
    await closing;
    expect((await inner.stats({})).byState).toMatchObject({ sent: 0, completed: 1 });
    expect(clock.pending).toBe(0);
  });

  it('is not needed for quiet: a timer stands only while a tool runs', async () => {
    const tools = createTools();
    const clock = virtualClock();
    const options = { ledger: memoryLedger({ clock }), scope: 'test', clock };
    await using caller = await connect(withMcpTx(v1McpServer(tools.bodies), options));
    const first = caller.call('slow', ORDER, meta('op_a'));
    await tools.begun.promise;
    expect(clock.pending).toBe(1);
    tools.gate.resolve();
    await first;
    expect(clock.pending).toBe(0);
  });
});
