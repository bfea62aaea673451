// A real server process behind real pipes, with faults between it and the client. What happened stands in the server's effect log.
import { createMcpTx } from '@mcp-tx/core';
import { stdio } from '@mcp-tx/core/sdk-v1';
import { stdio as stdioV2 } from '@mcp-tx/core/sdk-v2';
import { faultProxy } from '@mcp-tx/testing/faulty-server';
import { describe, expect, it, vi } from 'vitest';
import { blockOf, bytesOf, meta } from './support/lines.ts';
import { payments, startChild } from './support/payments.ts';

vi.setConfig({ testTimeout: 60_000 });
const ORDER = { orderId: '42' };

describe.each([
  ['v1', stdio],
  ['v2', stdioV2],
] as const)('the engine over SDK %s', (_line, connectTo) => {
  it.each([
    ['loses every second answer', { 'drop-response': [1, 3, 5] }],
    ['loses every second request', { 'drop-request': [1, 3, 5] }],
    ['brings requests twice', { 'duplicate-request': [1, 2, 3] }],
  ] as const)(
    '[G:S7] a wire that %s: every call completes, nothing runs twice, nothing is in doubt',
    async (_how, at) => {
      using server = payments();
      const proxy = faultProxy({ plan: { seed: 1, tools: ['pay'], at }, ...server });
      await using tx = createMcpTx({
        server: connectTo(proxy),
        timeoutMs: 30_000,
        attemptTimeoutMs: 700,
        retry: { baseDelayMs: 10 },
      });
      for (const orderId of ['a', 'b', 'c']) {
        const { result, meta: told } = await tx.callTool('pay', { orderId }, { idempotencyKey: orderId });
        expect(told).toMatchObject({ guarantee: 'effectively-once', execution: 'done', ack: true, processed: true });
        expect(result.structured).toMatchObject({ orderId });
      }
      expect(server.effects().map(({ args }) => args.orderId)).toEqual(['a', 'b', 'c']);
      expect(proxy.faults()).toHaveLength(3);
      expect((await tx.listOperations({ states: ['in_doubt', 'failed', 'sent'] })).records).toEqual([]);
    },
  );
});

it('[G:S7] a server that dies with every answer on its lips answers after its restart, from the file', async () => {
  using server = payments();
  const proxy = faultProxy({ plan: { seed: 1, tools: ['pay'], at: { 'kill-after': [1, 3] } }, ...server });
  await using tx = createMcpTx({ server: stdio(proxy), timeoutMs: 30_000, retry: { baseDelayMs: 10 } });
  for (const orderId of ['a', 'b']) {
    const { meta: told } = await tx.callTool('pay', { orderId }, { idempotencyKey: orderId });
    expect(told).toMatchObject({ guarantee: 'effectively-once', execution: 'done' });
  }
  expect(server.effects().map(({ args }) => args.orderId)).toEqual(['a', 'b']);
  expect(proxy.faults()).toHaveLength(2);
});

it.each([
  ['after', 1],
  ['before', 0],
] as const)(
  '[G:S6] killed %s its effect, before the record: in doubt for every repeat, and no further effect',
  async (die, effects) => {
    using server = payments({ die, leaseMs: 4_000 });
    await using other = await startChild(server); // is up already, so that the lease still runs when it is asked
    const doomed = await startChild(server);
    await expect(doomed.call('pay', ORDER, meta('op_a'))).rejects.toThrow(/closed/i);
    expect(server.effects()).toHaveLength(effects);
    const soon = await other.fail('pay', ORDER, meta('op_a'));
    expect(blockOf(soon)).toMatchObject({ ack: false, processed: true, reason: 'in-progress' });
    await vi.waitFor(
      async () => {
        expect(blockOf(await other.fail('pay', ORDER, meta('op_a')))).toMatchObject({ reason: 'in-doubt' });
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(blockOf(await other.fail('pay', ORDER, meta('op_a')))).toMatchObject({ reason: 'in-doubt' });
    expect(server.effects()).toHaveLength(effects);
  },
);

it('[G:S6] the engine is told of that doubt, and neither repeats nor guesses', async () => {
  using server = payments({ die: 'after', leaseMs: 300 });
  const retry = { baseDelayMs: 600, maxAttempts: 5, jitter: 'none' } as const;
  await using tx = createMcpTx({ server: stdio(server), timeoutMs: 30_000, retry });
  for (let calls = 0; calls < 2; calls += 1) {
    const outcome = await tx.tryCallTool('pay', ORDER, { idempotencyKey: 'order:42' });
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT', reason: 'server-in-doubt', execution: 'unknown' },
    });
  }
  expect(server.effects()).toHaveLength(1);
});

it('[G:S5] no effect without a claim that stands in the file already', async () => {
  using server = payments();
  await using caller = await startChild(server);
  for (const id of ['a', 'b', 'c']) await caller.call('pay', { orderId: id }, meta(`op_${id}`));
  expect(server.effects().map(({ args }) => args.claimed)).toEqual(['sent', 'sent', 'sent']);
});

it('[G:S1] two processes over one file run an operation once, and tell the same', async () => {
  using server = payments();
  await using one = await startChild(server);
  await using other = await startChild(server);
  const ids = Array.from({ length: 25 }, (_, index) => `op_${index}`);
  const told = await Promise.all(
    ids.map(async (id) => {
      const [first, second] = await Promise.all([settled(one, id), settled(other, id)]);
      expect(first).toBe(second);
      return first;
    }),
  );
  expect(new Set(told).size).toBe(ids.length);
  expect(server.effects()).toHaveLength(ids.length);
});

/** Asks until the operation has ended. */
async function settled(caller: Awaited<ReturnType<typeof startChild>>, id: string): Promise<string> {
  for (;;) {
    const answer = await caller
      .call('pay', { orderId: id }, meta(id))
      .catch((error: Error & { data: unknown }) => error);
    if (!(answer instanceof Error)) return bytesOf(answer);
    expect(blockOf(answer as never)).toMatchObject({ reason: 'in-progress' });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
