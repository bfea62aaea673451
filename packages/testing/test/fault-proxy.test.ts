/** Proves that the fault proxy does to a real server what its plan says, writes down what it did, and leaves nothing behind. */
import { expect, test, vi } from 'vitest';
import type { FaultPlan, FaultProxy, FaultyStdio } from '../src/faulty-server.ts';
import { faultProxy, faultyStdio } from '../src/faulty-server.ts';
import { PATIENCE_MS, payload, TIMEOUT_MS } from './support/session.ts';
import { openStdio } from './support/stdio-session.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

const TIMED_OUT = { type: 'McpError', code: -32001, message: 'MCP error -32001: Request timed out' };
const CLOSED = { type: 'McpError', code: -32000, message: 'MCP error -32000: Connection closed' };

/** A healthy server behind the proxy. */
function behindProxy(plan: Omit<FaultPlan, 'seed'>): { proxy: FaultProxy; real: FaultyStdio } {
  const real = faultyStdio();
  return { proxy: faultProxy({ plan: { seed: 1, ...plan }, command: real.command, args: real.args }), real };
}

const order = { orderId: 'a', amount: 1 };

test.concurrent('without a fault it is not noticed', async () => {
  const { proxy, real } = behindProxy({});
  await using session = await openStdio(proxy);
  expect(payload(await session.call('pay', order))).toMatchObject(order);
  expect((await session.client.listTools()).tools.length).toBeGreaterThan(5);
  expect(real.effects()).toHaveLength(1);
  expect(proxy.faults()).toEqual([]);
});

const KINDS = [
  { kind: 'drop-request', error: TIMED_OUT, effects: 0, answered: false },
  { kind: 'drop-response', error: TIMED_OUT, effects: 1, answered: true },
  { kind: 'kill-before', error: CLOSED, effects: 0, answered: false },
  { kind: 'kill-after', error: CLOSED, effects: 1, answered: true },
] as const;

test.concurrent.for(KINDS)('$kind', async ({ kind, error, effects, answered }) => {
  const { proxy, real } = behindProxy({ at: { [kind]: [1] } });
  await using session = await openStdio(proxy);
  const timeoutMs = error === TIMED_OUT ? TIMEOUT_MS : PATIENCE_MS;
  const reliability = { operationId: 'op_1', attemptId: 'at_1' };
  expect(await session.fail('pay', order, { reliability, timeoutMs })).toEqual(error);
  expect(real.effects()).toHaveLength(effects);
  expect(proxy.faults()).toMatchObject([{ kind, call: 1, tool: 'pay', answered, ...reliability, alsoLost: [] }]);
});

test.concurrent('delay-response: the answer comes after the timeout', async () => {
  const { proxy } = behindProxy({ at: { 'delay-response': [1] }, delayMs: [600, 600] });
  await using session = await openStdio(proxy);
  await session.fail('pay', order, { timeoutMs: TIMEOUT_MS });
  await vi.waitFor(() => expect(session.stray.map(String).join()).toContain('unknown message ID'), PATIENCE_MS);
  expect(proxy.faults()).toMatchObject([{ kind: 'delay-response', answered: true }]);
});

test.concurrent('duplicate-request: the server runs the tool twice', async () => {
  const { proxy, real } = behindProxy({ at: { 'duplicate-request': [1] } });
  await using session = await openStdio(proxy);
  await session.call('pay', order);
  await vi.waitFor(() => expect(real.effects()).toHaveLength(2), PATIENCE_MS);
  expect(proxy.faults()).toMatchObject([{ kind: 'duplicate-request' }]);
});

test.concurrent.for([
  { killAfterMs: 0, answered: false, effects: 0 },
  { killAfterMs: 500, answered: true, effects: 1 },
])('kill-during after $killAfterMs ms', async ({ killAfterMs, answered, effects }) => {
  const { proxy, real } = behindProxy({ at: { 'kill-during': [1] }, killAfterMs: [killAfterMs, killAfterMs] });
  await using session = await openStdio(proxy);
  const tool = answered ? 'pay' : 'slow';
  expect(await session.fail(tool, { ...order, ms: 200 })).toEqual(CLOSED);
  expect(real.effects()).toHaveLength(effects);
  expect(proxy.faults()).toMatchObject([{ kind: 'kill-during', answered }]);
});

test.concurrent('a kill says which other calls it took with it', async () => {
  const { proxy } = behindProxy({ at: { 'kill-after': [2] } });
  await using session = await openStdio(proxy);
  const slow = session.fail('slow', { ms: 5000 }, { reliability: { attemptId: 'at_slow' } });
  expect(await session.fail('pay', order)).toEqual(CLOSED);
  expect(await slow).toEqual(CLOSED);
  expect(proxy.faults()).toMatchObject([{ tool: 'pay', alsoLost: [{ tool: 'slow', attemptId: 'at_slow' }] }]);
});

test.concurrent('calls that come too late to hear of a kill are written down too', async () => {
  const { proxy } = behindProxy({ at: { 'kill-before': [2] } });
  await using session = await openStdio(proxy);
  const failures = await Promise.all(['append', 'pay', 'lying'].map((tool) => session.fail(tool)));
  expect(failures).toEqual([CLOSED, CLOSED, CLOSED]);
  expect(proxy.faults().map(({ kind, tool, call }) => [kind, tool, call])).toEqual([
    ['kill-before', 'pay', 2],
    ['lost-in-kill', 'lying', 0],
  ]);
  expect(proxy.faults()[0]?.alsoLost).toMatchObject([{ tool: 'append' }]);
});

test.concurrent('started anew it counts on', async () => {
  const { proxy, real } = behindProxy({ at: { 'kill-after': [1], 'drop-response': [3] }, tools: ['pay'] });
  await using first = await openStdio(proxy);
  await first.call('echo');
  expect(await first.fail('pay', order)).toEqual(CLOSED);
  await using second = await openStdio(proxy);
  await second.call('pay', order);
  expect(await second.fail('pay', order, { timeoutMs: TIMEOUT_MS })).toEqual(TIMED_OUT);
  expect(proxy.faults().map(({ kind, call }) => [kind, call])).toEqual([
    ['kill-after', 1],
    ['drop-response', 3],
  ]);
  expect(real.effects()).toHaveLength(3);
});
