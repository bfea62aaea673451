// Whose operation it is: two principals never see each other's, whatever ids they use; and what a tool learns of its call.
import { memoryLedger } from '@mcp-tx/core/ledger';
import { expect, it, vi } from 'vitest';
import type { CurrentCall, ServerTxOptions } from '../src/index.ts';
import { createServerTx, currentCall, STATUS_METHOD, withMcpTx } from '../src/index.ts';
import { blockOf, bytesOf, connect, meta, v1McpServer, v2McpServer } from './support/lines.ts';
import { createTools, text } from './support/tools.ts';

const ORDER = { orderId: '42' };

function perClient(): {
  readonly tools: ReturnType<typeof createTools>;
  login(clientId?: string): ReturnType<typeof connect>;
} {
  const tools = createTools();
  const tx = createServerTx({ ledger: memoryLedger(), scope: ({ authInfo }) => authInfo?.clientId });
  const login = (clientId?: string): ReturnType<typeof connect> =>
    connect(
      tx.wrap(v1McpServer(tools.bodies)),
      clientId === undefined ? undefined : { clientId, token: 't', scopes: [] },
    );
  return { tools, login };
}

it('[G:S4] two principals with the same operation id have two operations', async () => {
  const { tools, login } = perClient();
  await using anna = await login('anna');
  await using mallory = await login('mallory');
  const hers = await anna.call('pay', ORDER, meta('op_a'));
  const his = await mallory.call('pay', ORDER, meta('op_a'));
  expect(tools.effects()).toBe(2);
  expect(bytesOf(his)).not.toBe(bytesOf(hers));
  expect(blockOf(his)).toMatchObject({ duplicate: false });
});

it('[G:S4] and he cannot ask for the state of hers, nor find out that it exists', async () => {
  const { login } = perClient();
  await using anna = await login('anna');
  await using mallory = await login('mallory');
  await anna.call('pay', ORDER, meta('op_a'));
  expect(await anna.ask(STATUS_METHOD, { operationId: 'op_a' })).toMatchObject({ state: 'completed' });
  expect(await mallory.ask(STATUS_METHOD, { operationId: 'op_a' })).toEqual({
    operationId: 'op_a',
    state: 'unknown',
    rememberedMs: expect.any(Number),
  });
  const conflict = await mallory.call('pay', { orderId: '43' }, meta('op_a'));
  expect(blockOf(conflict)).toMatchObject({ ack: true, duplicate: false });
});

it('the same principal through another session gets his result', async () => {
  const { tools, login } = perClient();
  await using first = await login('anna');
  await using second = await login('anna');
  const one = await first.call('pay', ORDER, meta('op_a'));
  const other = await second.call('pay', ORDER, meta('op_a'));
  expect(tools.effects()).toBe(1);
  expect(bytesOf(other)).toBe(bytesOf(one));
});

it.each<[string, ServerTxOptions['scope']]>([
  ['has no name', ({ authInfo }) => authInfo?.clientId],
  ['has an empty name', () => ''],
  ['cannot be named', () => Promise.reject(new Error('the directory is away'))],
])('[G:S4] who %s is refused before anything runs', async (_who, scope) => {
  const tools = createTools();
  const onError = vi.fn();
  const server = withMcpTx(v1McpServer(tools.bodies), { ledger: memoryLedger(), scope, onError });
  await using caller = await connect(server);
  const refused = await caller.fail('pay', ORDER, meta('op_a'));
  expect(blockOf(refused)).toMatchObject({ ack: false, processed: false, reason: 'forbidden' });
  await expect(caller.ask(STATUS_METHOD, { operationId: 'op_a' })).rejects.toThrow(/who asks/);
  expect(tools.effects()).toBe(0);
  expect(onError).toHaveBeenCalledTimes(scope.toString().includes('directory') ? 2 : 0);
});

it.each([
  ['an empty operation id', meta('')],
  ['an operation id with control characters', meta('op\u0000a')],
  ['one of 256 characters', meta('x'.repeat(256))],
  ['an operation id that is no text', { 'io.github.mcp-tx/reliability': { v: 1, operationId: 7 } }],
  ['a block that is no object', { 'io.github.mcp-tx/reliability': 'op_a' }],
  ['a Python key that is no text', { mcp_tx: { idempotency_key: 7 } }],
  ['a plain key that is no text', { idempotencyKey: ['a'] }],
])('refuses %s: who sends it relies on it', async (_what, _meta) => {
  const tools = createTools();
  const server = withMcpTx(v1McpServer(tools.bodies), { ledger: memoryLedger(), scope: 'test' });
  await using caller = await connect(server);
  const refused = await caller.fail('pay', ORDER, _meta);
  expect(blockOf(refused)).toMatchObject({ ack: false, processed: false, reason: 'invalid' });
  expect(tools.effects()).toBe(0);
});

it('refuses a version that it does not speak, and arguments that it could not compare', async () => {
  const tools = createTools();
  const server = withMcpTx(v1McpServer(tools.bodies), { ledger: memoryLedger(), scope: 'test' });
  await using caller = await connect(server);
  const version = await caller.fail('pay', ORDER, meta('op_a', { v: 2 }));
  expect(blockOf(version)).toMatchObject({ processed: false, reason: 'unsupported-version' });
  const big = await caller.fail('pay', { orderId: '42', amount: 2 ** 60 }, meta('op_a'));
  expect(blockOf(big)).toMatchObject({ processed: false, reason: 'invalid' });
  expect(tools.effects()).toBe(0);
});

it.each([
  ['v1', v1McpServer],
  ['v2', v2McpServer],
])(
  'a tool learns of the call that it runs for, through awaits, and of none in a plain one (SDK %s)',
  async (_line, make) => {
    const seen: (CurrentCall | undefined)[] = [];
    const remaining: (number | undefined)[] = [];
    const tools = createTools({
      async look() {
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(currentCall());
        remaining.push(currentCall()?.remainingMs());
        return text('x');
      },
    });
    const server = withMcpTx(make(tools.bodies), { ledger: memoryLedger(), scope: 'anna', name: 'payments' });
    await using caller = await connect(server);
    await caller.call('look', ORDER);
    await caller.call('look', ORDER, meta('op_a', { attempt: 3 }));
    await caller.call('look', ORDER, { idempotencyKey: 'b' });
    const [plain, recorded, bare] = seen;
    expect(plain).toBeUndefined();
    expect(recorded).toMatchObject({
      operationId: 'op_a',
      scope: 'anna',
      tool: 'look',
      requestId: 'req_1',
      attempt: 3,
    });
    expect(recorded?.idempotencyKey).toMatch(/^op_[a-z2-7]{26}$/);
    expect(recorded?.idempotencyKey).not.toBe(bare?.idempotencyKey);
    expect(recorded?.fingerprint).toMatch(/^[\w-]{43}$/);
    expect(remaining[1]).toBeGreaterThan(0);
    expect(remaining[1]).toBeLessThan(5_000);
    expect(remaining[2]).toBe(Number.POSITIVE_INFINITY);
    expect(currentCall()).toBeUndefined();
  },
);
