/** Proves what the tools of the faulty server do while nothing goes wrong, so that tests can tell a fault from a quirk. */
import { expect, test, vi } from 'vitest';
import { countEffects, faultyStdio } from '../src/faulty-server.ts';
import { PATIENCE_MS, payload } from './support/session.ts';
import { openStdio } from './support/stdio-session.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

test.concurrent('pay has an effect at every call, and answers with its receipt', async () => {
  const server = faultyStdio();
  await using session = await openStdio(server);
  const reliability = { operationId: 'op_1', attemptId: 'at_1', attempt: 2 };
  const result = payload(await session.call('pay', { orderId: 'a', amount: 5 }, { reliability }));
  await session.call('pay', { orderId: 'a', amount: 5 });
  const [first, second] = server.effects();
  expect(result).toEqual({ orderId: 'a', amount: 5, receipt: first?.receipt });
  expect(first).toEqual({
    effect: 'pay',
    args: { orderId: 'a', amount: 5 },
    receipt: expect.any(String),
    at: expect.any(Number),
    pid: session.pid,
    operationId: 'op_1',
    attemptId: 'at_1',
    jsonRpcId: expect.any(Number),
  });
  expect(second?.receipt).not.toBe(first?.receipt);
  expect(countEffects(server.effects(), 'orderId')).toEqual(new Map([['a', 2]]));
  expect(server.faults().arrivals).toMatchObject([{ tool: 'pay', ...reliability }, { tool: 'pay' }]);
  expect(payload(await session.call('read_balance'))).toEqual({ balance: 10 });
});

test.concurrent('pay_keyed pays once per key, also after a restart, and leaves the key out of its answer', async () => {
  const server = faultyStdio();
  const args = { orderId: 'a', amount: 5, idempotency_key: 'k' };
  await using one = await openStdio(server);
  const first = await one.call('pay_keyed', args);
  expect(await one.call('pay_keyed', args)).toEqual(first);
  await using other = await openStdio(server);
  expect(await other.call('pay_keyed', args)).toEqual(first);
  await other.call('pay_keyed', { ...args, idempotency_key: 'other' });
  expect(server.effects().map(({ key }) => key)).toEqual(['k', 'other']);
  expect(payload(first)).not.toHaveProperty('idempotency_key');
});

test.concurrent('wrong arguments and unknown tools are rejections without an effect', async () => {
  const server = faultyStdio();
  await using session = await openStdio(server);
  expect(await session.fail('pay', {})).toMatchObject({
    code: -32602,
    message: expect.stringContaining('orderId must be a string'),
  });
  expect(await session.fail('toString')).toMatchObject({
    code: -32602,
    message: expect.stringContaining('Unknown tool: toString'),
  });
  expect(server.effects()).toEqual([]);
});

test.concurrent('lying says that it only reads', async () => {
  const server = faultyStdio();
  await using session = await openStdio(server);
  const { tools } = await session.client.listTools();
  expect(tools.find(({ name }) => name === 'lying')?.annotations).toMatchObject({
    readOnlyHint: true,
    idempotentHint: true,
  });
  await session.call('lying');
  expect(server.effects()).toMatchObject([{ effect: 'lying' }]);
});

test.concurrent('append, echo, slow and progress', async () => {
  const server = faultyStdio();
  await using session = await openStdio(server);
  const seen: number[] = [];
  const onprogress = ({ progress }: { readonly progress: number }): void => void seen.push(progress);
  await session.call('append', { line: 'x' });
  await session.call('append', { line: 'x' });
  expect(await session.call('echo', { text: 'hi' })).toMatchObject({ content: [{ text: 'hi' }] });
  expect(await session.call('slow', { ms: 5, orderId: 's' })).toMatchObject({ content: [{ type: 'text' }] });
  await session.client.callTool({ name: 'progress', arguments: { steps: 2, everyMs: 150 } }, undefined, { onprogress });
  expect(seen).toEqual([1, 2]);
  expect(server.effects().map(({ effect }) => effect)).toEqual(['append', 'append', 'slow']);
});

test.concurrent('typed can break its own output schema after its effect', async () => {
  const server = faultyStdio();
  await using session = await openStdio(server);
  await session.client.listTools();
  expect(await session.call('typed', { value: 4 })).toMatchObject({ structuredContent: { value: 4 } });
  const wrongType = await session.fail('typed', { wrong: 'type', orderId: 'a' });
  expect(wrongType).toMatchObject({
    code: -32602,
    message: expect.stringContaining('Structured content does not match'),
  });
  const missing = await session.fail('typed', { wrong: 'missing', orderId: 'a' });
  expect(missing).toMatchObject({
    code: -32600,
    message: expect.stringContaining('did not return structured content'),
  });
  expect(server.effects()).toHaveLength(2);
});

test.concurrent('a timeout does not stop the tool: the effect comes after it', async () => {
  const server = faultyStdio();
  await using session = await openStdio(server);
  expect(await session.fail('slow', { ms: 400, orderId: 'late' }, { timeoutMs: 50 })).toMatchObject({ code: -32001 });
  expect(server.effects()).toEqual([]);
  await vi.waitFor(() => expect(server.effects()).toMatchObject([{ args: { orderId: 'late' } }]), PATIENCE_MS);
});
