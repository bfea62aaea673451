// A server that speaks MCP-Tx says that it runs the operation already: its answer is asked for, until it is there or time is up.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { fates } from '../support/scripted-connection.ts';

const KEY = { idempotencyKey: 'order:42' };

/** Refuses a send because an earlier one runs. */
function underWay(more: object = {}): Fate {
  const nack = { ack: false, processed: true, reason: 'in-progress', ...more };
  const data = { 'io.github.mcp-tx/reliability': nack };
  return { ends: { frame: 'error', errorFrame: { code: -32_603, message: 'in progress', data } } };
}

const often = (times: number, more?: object): Fate[] => Array.from({ length: times }, () => underWay(more));

/** An instance of a server that recognises repeats. */
async function aware(fatesInOrder: readonly Fate[]) {
  const made = await instance(fatesInOrder);
  made.server.speaksMcpTx = true;
  return made;
}

it('asks again when it is told to, as often as it takes, and no attempt is used up', async () => {
  const { tx, clock, server, ledger } = await aware([fates.reset, ...often(6, { retryAfterMs: 100 })]);
  const { meta } = await within(clock, 900, tx.callTool('pay', {}, KEY));
  expect(meta).toMatchObject({ attempts: 2, guarantee: 'effectively-once' });
  expect(server.sends.map(({ identity }) => identity.attempt)).toEqual([1, 2, 2, 2, 2, 2, 2, 2]);
  const asked = server.sends.slice(1).map(({ at }) => at);
  expect(asked.slice(1).map((at, i) => at - (asked[i] as number))).toEqual([100, 100, 100, 100, 100, 100]);
  expect((await ledger.list({})).records).toMatchObject([{ state: 'completed', attempts: 2 }]);
});

it('never sends two requests under one id', async () => {
  const { tx, clock, server } = await aware([...often(4), fates.refused, underWay(), fates.reset]);
  await within(clock, 900, tx.callTool('pay', {}, KEY));
  const left = server.sends.filter((_send, n) => n !== 4);
  expect(new Set(left.map(({ identity }) => identity.attemptId)).size).toBe(left.length);
  expect(left.map(({ identity }) => identity.attempt)).toEqual([1, 1, 1, 1, 1, 1, 2]);
});

it('asks more and more slowly when it is not told when', async () => {
  const { tx, clock, server } = await aware(often(5));
  await within(clock, 900, tx.callTool('pay', {}, KEY));
  expect(server.sends.map(({ at }) => at - (server.sends[0]?.at ?? 0))).toEqual([0, 10, 30, 70, 150, 250]);
});

it('asks within the time left when it is told to come later, and then says that it does not know', async () => {
  const { tx, clock, server, ledger } = await aware(often(100, { retryAfterMs: 60_000 }));
  const outcome = await within(clock, 1_100, tx.tryCallTool('pay', {}, KEY));
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: 'IN_DOUBT', execution: 'unknown', meta: { attempts: 1 } },
  });
  expect(server.sends.length).toBeLessThan(10);
  expect(server.sends.at(-1)?.at ?? 0).toBeGreaterThan((server.sends[0]?.at ?? 0) + 900);
  expect((await ledger.list({})).records).toMatchObject([{ state: 'in_doubt' }]);
});

it('takes the answer to an earlier send when that comes first', async () => {
  const slow: Fate = { runs: true, afterMs: 700, ends: { frame: 'result', result: { content: [] } } };
  const { tx, clock, server } = await aware([slow, ...often(100, { retryAfterMs: 400 })]);
  const { meta } = await within(clock, 900, tx.callTool('pay', {}, { ...KEY, attemptTimeoutMs: 100 }));
  expect(meta).toMatchObject({ attempts: 2, duplicate: false });
  expect(server.effectCount).toBe(1);
});

it('does not ask for a tool that may be sent once only', async () => {
  const { tx, clock, server } = await aware(often(1));
  const outcome = await within(clock, 1_100, tx.tryCallTool('pay', {}, { ...KEY, delivery: 'at-most-once' }));
  expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  expect(server.sends).toHaveLength(1);
});
