// DESIGN 3.6: no send without a slot, also when the first slot was given away meanwhile.
import { expect, it } from 'vitest';
import type { ProbeVerdict } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const limits = { maxInFlight: 1, maxQueued: 5 };

it('an operation that gave its slot to a probe stands in line again before it is sent again', async () => {
  const { tx, server, clock } = await instance([fates.reset, slowly(300)], {
    limits,
    tools: { pay: { probe: (): ProbeVerdict => ({ verdict: 'absent' }) } },
  });
  server.dead = true;
  const call = tx.tryCallTool('pay', {}, key);
  await clock.advance(2); // the slot is free while the operation waits for its next send
  const other = tx.tryCallTool('read');
  await clock.advance(100);
  expect(server.sends.map((send) => send.tool)).toEqual(['pay', 'read']);
  await within(clock, 900, Promise.all([call, other]));
  expect(server.sends.map((send) => send.tool)).toEqual(['pay', 'read', 'pay']);
  expect(await call).toMatchObject({ ok: true });
});

it('an operation whose callers had left stands in line again when a new caller has it sent again', async () => {
  const { tx, server, clock } = await instance([fates.lostRequest, slowly(300)], {
    limits,
    tools: { pay: { idempotent: true } },
    settleGraceMs: 60_000,
  });
  await within(clock, 200, tx.tryCallTool('pay', {}, { ...key, timeoutMs: 100, attemptTimeoutMs: 100 }));
  const other = tx.tryCallTool('read');
  await clock.settle();
  const second = tx.tryCallTool('pay', {}, { ...key, timeoutMs: 8_000 });
  await clock.advance(200);
  expect(server.sends.map((send) => send.tool)).toEqual(['pay', 'read']);
  expect((await tx.health()).inFlight).toBe(1);
  expect(await within(clock, 10_000, second)).toMatchObject({ ok: true });
  await other;
  expect((await tx.health()).inFlight).toBe(0);
});

it('maxQueuedLength bounds the arguments of all calls under way and in line; a single call may always pass', async () => {
  const { tx, server, clock } = await instance([slowly(50), slowly(50), slowly(50), slowly(50)], {
    limits: { maxInFlight: 2, maxQueued: 100, maxQueuedLength: 100 },
  });
  const sized = (length: number) => ({ text: 'x'.repeat(length - '{"text":""}'.length) });
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].values();
  const call = (length: number) => tx.tryCallTool('pay', sized(length), { idempotencyKey: String(keys.next().value) });
  const overloaded = { ok: false, error: { code: 'OVERLOADED', execution: 'none', retryable: true } };
  const [one, two, three] = [call(40), call(40), call(20)];
  expect(await within(clock, 10, call(12))).toMatchObject(overloaded);
  expect((await tx.health()).queued).toBe(1);
  expect(await within(clock, 200, Promise.all([one, two, three]))).toMatchObject(Array(3).fill({ ok: true }));
  const large = call(5_000); // nothing else is here
  expect(await within(clock, 10, call(12))).toMatchObject(overloaded);
  expect(await within(clock, 200, large)).toMatchObject({ ok: true });
  expect(await within(clock, 200, call(100))).toMatchObject({ ok: true });
  expect(server.sends).toHaveLength(5);
});
