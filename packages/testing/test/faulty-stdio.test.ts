/** Proves that every fault of the stdio server happens as it is described, with the official SDK's client as the witness. */
import { describe, expect, test, vi } from 'vitest';
import type { Fault, FaultName } from '../src/faulty-server.ts';
import { countEffects, faultyStdio } from '../src/faulty-server.ts';
import { PATIENCE_MS, payload, TIMEOUT_MS } from './support/session.ts';
import { openStdio } from './support/stdio-session.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

const TIMED_OUT = { type: 'McpError', code: -32001, message: 'MCP error -32001: Request timed out' };
const CLOSED = { type: 'McpError', code: -32000, message: 'MCP error -32000: Connection closed' };

interface Failing {
  readonly fault: Fault | FaultName;
  readonly error: Record<string, unknown>;
  readonly effects: number;
}

const FAILING: readonly Failing[] = [
  { fault: 'drop-request', error: TIMED_OUT, effects: 0 },
  { fault: 'drop-response', error: TIMED_OUT, effects: 1 },
  { fault: 'exit-before', error: CLOSED, effects: 0 },
  { fault: { kind: 'exit-before', how: 'exit' }, error: CLOSED, effects: 0 },
  { fault: 'exit-after', error: CLOSED, effects: 1 },
  { fault: { kind: 'exit-after', how: 'exit' }, error: CLOSED, effects: 1 },
  { fault: 'garbage', error: TIMED_OUT, effects: 1 },
  { fault: { kind: 'garbage', when: 'before' }, error: TIMED_OUT, effects: 0 },
  { fault: 'wrong-id', error: TIMED_OUT, effects: 1 },
  { fault: 'half-line', error: CLOSED, effects: 1 },
  { fault: 'close-stdout', error: TIMED_OUT, effects: 1 },
  { fault: { kind: 'close-stdout', when: 'before' }, error: TIMED_OUT, effects: 0 },
  { fault: 'huge-result', error: CLOSED, effects: 1 },
  {
    fault: { kind: 'json-rpc-error', code: -32603, message: 'oh' },
    error: { code: -32603, message: 'MCP error -32603: oh' },
    effects: 0,
  },
  {
    fault: { kind: 'json-rpc-error', code: -32000, when: 'after' },
    error: { type: 'McpError', code: -32000 },
    effects: 1,
  },
  { fault: 'invalid-content', error: { type: '$ZodError' }, effects: 1 },
];

describe('a fault that fails the call', () => {
  test.concurrent.for(FAILING)('$fault', async ({ fault, error, effects }) => {
    const server = faultyStdio({ script: [{ tool: 'pay', fault }] });
    await using session = await openStdio(server);
    const timeoutMs = error === TIMED_OUT ? TIMEOUT_MS : PATIENCE_MS;
    expect(await session.fail('pay', { orderId: 'a', amount: 5 }, { timeoutMs })).toMatchObject(error);
    await vi.waitFor(() => expect(server.effects()).toHaveLength(effects), PATIENCE_MS);
    const { injected, unusedSteps } = server.faults();
    expect(injected).toMatchObject([{ kind: typeof fault === 'string' ? fault : fault.kind, tool: 'pay', call: 1 }]);
    expect(unusedSteps).toEqual([]);
  });
});

describe('a fault that the client does not take for one', () => {
  const RESOLVING: readonly { fault: Fault | FaultName; result: Record<string, unknown> }[] = [
    { fault: 'is-error', result: { isError: true, content: [{ type: 'text', text: 'The tool failed' }] } },
    { fault: 'no-content', result: { content: [] } },
    { fault: 'task-result', result: { content: [], task: { taskId: 'task-1' } } },
    { fault: { kind: 'result-type', value: 'input_required' }, result: { content: [], resultType: 'input_required' } },
    {
      fault: { kind: 'huge-result', bytes: 100_000 },
      result: { content: [{ type: 'text', text: 'x'.repeat(100_000) }] },
    },
  ];

  test.concurrent.for(RESOLVING)('$fault', async ({ fault, result }) => {
    const server = faultyStdio({ script: [{ fault }] });
    await using session = await openStdio(server);
    expect(await session.call('pay', { orderId: 'a' })).toMatchObject(result);
    expect(server.effects()).toHaveLength(1);
    expect(server.faults().injected).toHaveLength(1);
  });

  test.concurrent('double-answer: the second one belongs to nobody', async () => {
    const server = faultyStdio({ script: [{ fault: 'double-answer' }] });
    await using session = await openStdio(server);
    expect(payload(await session.call('pay', { orderId: 'a' }))).toMatchObject({ orderId: 'a' });
    await session.call('echo');
    expect(session.stray.map(String)).toEqual([expect.stringContaining('unknown message ID')]);
    expect(server.effects()).toHaveLength(1);
  });
});

describe('delay', () => {
  test.concurrent.for(['before', 'after'] as const)(
    '%s the effect: the answer still comes, after the timeout',
    async (when) => {
      const server = faultyStdio({ script: [{ fault: { kind: 'delay', ms: 600, when } }] });
      await using session = await openStdio(server);
      const failed = await session.fail('pay', { orderId: 'a' }, { timeoutMs: TIMEOUT_MS });
      expect(failed).toMatchObject(TIMED_OUT);
      if (when === 'before') expect(server.effects()).toEqual([]);
      await vi.waitFor(() => expect(session.stray.map(String).join()).toContain('unknown message ID'), PATIENCE_MS);
      expect(server.effects()).toHaveLength(1);
    },
  );

  test.concurrent('shorter than the timeout it is not noticed', async () => {
    await using session = await openStdio(faultyStdio({ script: [{ fault: { kind: 'delay', ms: 5 } }] }));
    expect(payload(await session.call('pay', { orderId: 'a' }))).toMatchObject({ orderId: 'a' });
  });
});

describe('a server that fails when the client connects', () => {
  test.concurrent('exit-at-once', async () => {
    await expect(openStdio(faultyStdio({ mode: 'exit-at-once' }))).rejects.toMatchObject({ code: -32000 });
  });

  test.concurrent('silent', async () => {
    await expect(openStdio(faultyStdio({ mode: 'silent' }), 300)).rejects.toMatchObject({ code: -32001 });
  });

  test.concurrent('garbage-at-start: the client complains and goes on', async () => {
    await using session = await openStdio(faultyStdio({ mode: 'garbage-at-start' }));
    expect(session.stray.map(({ name }) => name)).toEqual(['SyntaxError', 'SyntaxError']);
    expect(await session.call('echo', { text: 'hi' })).toMatchObject({ content: [{ text: 'hi' }] });
  });
});

describe('a server that is started again', () => {
  test.concurrent('counts calls on, and its faults log tells what both lives did', async () => {
    const script = [
      { tool: 'pay', at: 1, fault: 'exit-after' },
      { tool: 'pay', at: 3, fault: 'drop-response' },
      { tool: 'append', fault: 'garbage' },
    ] as const;
    const server = faultyStdio({ script });
    await using first = await openStdio(server);
    await first.fail('pay', { orderId: 'a' });
    await using second = await openStdio(server);
    await second.call('pay', { orderId: 'a' });
    await second.fail('pay', { orderId: 'a' }, { timeoutMs: TIMEOUT_MS });
    const { counts, unusedSteps, injected, arrivals } = server.faults();
    expect(counts).toEqual({ 'exit-after': 1, 'drop-response': 1 });
    expect(unusedSteps).toEqual([{ index: 2, tool: 'append', at: 1, kind: 'garbage' }]);
    expect(injected.map(({ pid, when }) => ({ pid, when }))).toEqual([
      { pid: first.pid, when: 'after' },
      { pid: second.pid, when: 'after' },
    ]);
    expect(arrivals).toHaveLength(3);
    expect(countEffects(server.effects(), 'orderId').get('a')).toBe(3);
  });

  test.concurrent('forgets its place if it is told so', async () => {
    const server = faultyStdio({ script: [{ fault: 'exit-before' }], forgetful: true });
    for (const _ of [1, 2]) {
      await using session = await openStdio(server);
      expect(await session.fail('pay', { orderId: 'a' })).toMatchObject(CLOSED);
    }
    expect(server.faults().counts).toEqual({ 'exit-before': 2 });
    expect(server.effects()).toEqual([]);
  });
});

test('a wrong script is refused before anything runs', () => {
  expect(() => faultyStdio({ script: [{ fault: 'reset' }] })).toThrow('step 0: reset is for http');
});
