/** Proves that the fault proxy does to a real server what its plan says, writes down what it did, and leaves nothing behind. */
import { expect, test } from 'vitest';
import type { FaultPlan, FaultProxy, FaultyStdio } from '../src/faulty-server.ts';
import { faultProxy, faultyStdio } from '../src/faulty-server.ts';
import { payload } from './support/session.ts';
import { openStdio } from './support/stdio-session.ts';

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
  const reliability = { operationId: 'op_1', attemptId: 'at_1' };
  expect(await session.fail('pay', order, { reliability, timeoutMs: 1000 })).toEqual(error);
  expect(real.effects()).toHaveLength(effects);
  expect(proxy.faults()).toMatchObject([{ kind, call: 1, tool: 'pay', answered, ...reliability, alsoLost: [] }]);
});
