// What clients see of a wrapped server, with every kind of server that can be wrapped.
import { memoryLedger } from '@mcp-tx/core/ledger';
import { EXTENSION_ID, speaksMcpTx } from '@mcp-tx/core/protocol';
import { describe, expect, it } from 'vitest';
import { createServerTx, withMcpTx } from '../src/index.ts';
import { blockOf, bytesOf, connect, KINDS, meta } from './support/lines.ts';
import { createTools } from './support/tools.ts';

const ORDER = { orderId: '42', amount: 100 };

describe.each(KINDS)('%s', (_kind, make) => {
  function setUp() {
    const tools = createTools();
    const ledger = memoryLedger();
    const server = withMcpTx(make(tools.bodies), { ledger, scope: 'test' });
    return { tools, ledger, server };
  }

  it('announces the extension in both places, with the retention', async () => {
    await using caller = await connect(setUp().server);
    const capabilities = caller.client.getServerCapabilities();
    expect(speaksMcpTx(capabilities)).toBe(true);
    expect(capabilities?.extensions?.[EXTENSION_ID]).toEqual({ retentionMs: 86_400_000 });
    expect(capabilities?.experimental?.mcp_tx).toEqual({ retentionMs: 86_400_000 });
  });

  it('leaves a plain call alone: no record, no block, and a repeat runs again', async () => {
    const { tools, ledger, server } = setUp();
    await using caller = await connect(server);
    const first = await caller.call('pay', ORDER);
    await caller.call('pay', ORDER, { 'com.example/trace': 'x' });
    expect(tools.effects()).toBe(2);
    expect(blockOf(first)).toBeUndefined();
    expect((await ledger.stats({})).total).toBe(0);
  });

  it('[G:S1] runs an operation once, and answers its repeats with the same bytes', async () => {
    const { tools, server } = setUp();
    await using caller = await connect(server);
    const first = await caller.call('pay', ORDER, meta('op_a'));
    const second = await caller.call('pay', ORDER, meta('op_a', { attempt: 2, requestId: 'req_2' }));
    expect(tools.effects()).toBe(1);
    expect(bytesOf(second)).toBe(bytesOf(first));
    const told = { v: 1, ack: true, processed: true, operationId: 'op_a', storedAt: expect.any(Number) };
    expect(blockOf(first)).toEqual({ ...told, duplicate: false, requestId: 'req_1', attempt: 1 });
    expect(blockOf(second)).toEqual({ ...told, duplicate: true, requestId: 'req_2', attempt: 2 });
  });

  it('[G:S1] runs concurrent repeats once, and all of them hear the answer', async () => {
    const { tools, server } = setUp();
    await using caller = await connect(server);
    const calls = Array.from({ length: 20 }, () => caller.call('slow', ORDER, meta('op_a')));
    await tools.begun.promise;
    tools.gate.resolve();
    const answers = await Promise.all(calls);
    expect(tools.effects()).toBe(1);
    expect(new Set(answers.map(bytesOf)).size).toBe(1);
    expect(answers.filter((answer) => blockOf(answer).duplicate === false)).toHaveLength(1);
  });

  it('keeps what a tool itself calls an error', async () => {
    const { tools, server } = setUp();
    await using caller = await connect(server);
    const first = await caller.call('decline', ORDER, meta('op_a'));
    const second = await caller.call('decline', ORDER, meta('op_a'));
    expect(tools.effects()).toBe(1);
    expect(first.isError).toBe(true);
    expect(bytesOf(second)).toBe(bytesOf(first));
    expect(blockOf(second)).toMatchObject({ ack: true, processed: true, duplicate: true });
  });

  it.each([
    ['other arguments', 'pay', { ...ORDER, amount: 101 }],
    ['another tool', 'decline', ORDER],
  ])('[G:S2] refuses an operation that comes again with %s, and shows nothing of it', async (_what, tool, args) => {
    const { tools, server } = setUp();
    await using caller = await connect(server);
    const claimed = { fingerprint: 'the same' }; // what a client says is no proof
    const first = await caller.call('pay', ORDER, meta('op_a', claimed));
    const refused = await caller.fail(tool, args, meta('op_a', claimed));
    expect(tools.effects()).toBe(1);
    expect(refused.code).toBe(-32_602);
    expect(blockOf(refused)).toMatchObject({ ack: false, processed: false, reason: 'conflict', operationId: 'op_a' });
    expect(JSON.stringify(refused)).not.toContain(receiptOf(first));
  });

  it('takes equal arguments in another order for the same call', async () => {
    const { tools, server } = setUp();
    await using caller = await connect(server);
    await caller.call('pay', { orderId: '42', amount: 100 }, meta('op_a'));
    await caller.call('pay', { amount: 100, orderId: '42' }, meta('op_a'));
    expect(tools.effects()).toBe(1);
  });

  it.each([
    ['the Python original', { mcp_tx: { idempotency_key: 'op_a', request_id: 'r1', retry_count: 1 } }, 2],
    ['others', { idempotencyKey: 'op_a' }, 1],
  ])('reads the key of %s', async (_whose, _meta, attempt) => {
    const { tools, server } = setUp();
    await using caller = await connect(server);
    await caller.call('pay', ORDER, _meta);
    const second = await caller.call('pay', ORDER, _meta);
    expect(tools.effects()).toBe(1);
    expect(blockOf(second)).toMatchObject({ duplicate: true, operationId: 'op_a', attempt });
  });

  it('covers tools that are registered after the wrapping', async () => {
    const tools = createTools();
    const server = make(tools.bodies, (empty) => withMcpTx(empty, { ledger: memoryLedger(), scope: 'test' }));
    await using caller = await connect(server);
    await caller.call('pay', ORDER, meta('op_a'));
    await caller.call('pay', ORDER, meta('op_a'));
    expect(tools.effects()).toBe(1);
  });

  it('lets repeats meet that come through different servers of one process', async () => {
    const tools = createTools();
    const tx = createServerTx({ ledger: memoryLedger(), scope: 'test' });
    await using one = await connect(tx.wrap(make(tools.bodies)));
    await using other = await connect(tx.wrap(make(tools.bodies)));
    const first = one.call('slow', ORDER, meta('op_a'));
    await tools.begun.promise;
    const second = other.call('slow', ORDER, meta('op_a'));
    tools.gate.resolve();
    expect(bytesOf(await first)).toBe(bytesOf(await second));
    expect(tools.effects()).toBe(1);
    await tx.close();
  });
});

function receiptOf(result: Readonly<Record<string, unknown>>): string {
  const [block] = result.content as readonly { readonly text: string }[];
  return (JSON.parse(block?.text ?? '') as { receipt: string }).receipt;
}
