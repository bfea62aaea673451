import { describe, expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('one key, many callers', () => {
  it('[G:I11] [G:I2] has one driver and one answer', async () => {
    const { tx, server, clock } = await instance([slowly(50, { n: 1 })]);
    const all = await within(
      clock,
      200,
      Promise.all(Array.from({ length: 20 }, () => tx.callTool('pay', { a: 1 }, key))),
    );
    expect(server.effectCount).toBe(1);
    expect(new Set(all.map(({ result }) => JSON.stringify(result))).size).toBe(1);
    expect(all.filter(({ meta }) => !meta.duplicate)).toHaveLength(1);
    const results = new Set(all.map(({ result }) => result));
    expect(results.size).toBe(20); // nobody can change another's answer
  });

  it('lives to the latest deadline of all; each waits to his own', async () => {
    const { tx, clock } = await instance([slowly(400)]);
    const short = tx.tryCallTool('pay', {}, { ...key, timeoutMs: 100 });
    const long = tx.tryCallTool('pay', {}, { ...key, timeoutMs: 900 });
    expect(await within(clock, 101, short)).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect(clock.monotonic()).toBe(100);
    expect(await within(clock, 900, long)).toMatchObject({ ok: true });
  });

  it('[G:I11] a leader’s abort only detaches while others wait', async () => {
    const { tx, server, clock } = await instance([slowly(100)]);
    const abort = new AbortController();
    const leader = tx.tryCallTool('pay', {}, { ...key, signal: abort.signal, onAbort: 'cancel' });
    const follower = tx.tryCallTool('pay', {}, key);
    await clock.advance(10);
    abort.abort();
    expect(await within(clock, 1, leader)).toMatchObject({ ok: false });
    expect(await within(clock, 200, follower)).toMatchObject({ ok: true });
    expect(server.sends[0]?.cancelled).toBeUndefined();
  });

  it('a joiner with a stricter mode has it kept from then on; `guarantee` names what held for the whole', async () => {
    for (const [joiner, sends] of [
      ['at-most-once', 1],
      ['at-least-once', 2],
    ] as const) {
      const { tx, server, clock } = await instance([{ afterMs: 100, ends: { lost: true } }]);
      const leader = tx.tryCallTool('pay', {}, { ...key, delivery: 'at-least-once' });
      await clock.advance(10);
      const second = tx.tryCallTool('pay', {}, { ...key, delivery: joiner });
      const outcomes = await within(clock, 900, Promise.all([leader, second]));
      expect(server.sends).toHaveLength(sends);
      for (const outcome of outcomes) {
        const meta = outcome.ok ? outcome.meta : outcome.error.meta;
        expect(meta).toMatchObject({
          attempts: sends,
          guarantee: 'at-least-once',
          execution: sends === 1 ? 'unknown' : 'done',
        });
      }
    }
  });

  it('a joiner with a weaker mode weakens nothing', async () => {
    const { tx, server, clock } = await instance([{ afterMs: 100, ends: { lost: true } }]);
    const leader = tx.tryCallTool('pay', {}, key);
    await clock.advance(10);
    const second = tx.tryCallTool('pay', {}, { ...key, delivery: 'at-least-once' });
    const doubt = { ok: false, error: { code: 'IN_DOUBT', meta: { guarantee: 'at-most-once' } } };
    expect(await within(clock, 900, Promise.all([leader, second]))).toMatchObject([doubt, doubt]);
    expect(server.sends).toHaveLength(1);
  });

  it('[G:I7] other arguments or another tool are a conflict, in flight and afterwards, and send nothing', async () => {
    const { tx, server, clock } = await instance([slowly(50)]);
    const first = tx.callTool('pay', { a: 1 }, key);
    await clock.settle();
    const conflict = { ok: false, error: { code: 'KEY_CONFLICT', execution: 'none' } };
    expect(await tx.tryCallTool('pay', { a: 2 }, key)).toMatchObject(conflict);
    await within(clock, 100, first);
    expect(await tx.tryCallTool('pay', { a: 2 }, key)).toMatchObject(conflict);
    expect(await tx.tryCallTool('read', { a: 1 }, key)).toMatchObject(conflict);
    expect(server.sends).toHaveLength(1);
  });

  it('the order of members is not another argument', async () => {
    const { tx } = await instance();
    await tx.callTool('pay', { b: 1, a: { d: 1, c: 2 } }, key);
    expect((await tx.callTool('pay', { a: { c: 2, d: 1 }, b: 1 }, key)).meta.duplicate).toBe(true);
  });

  it('scopes do not share keys', async () => {
    const { tx, server } = await instance();
    const one = await tx.callTool('pay', {}, { ...key, scope: 'tenant-a' });
    const two = await tx.callTool('pay', {}, { ...key, scope: 'tenant-b' });
    expect(one.meta.operationId).not.toBe(two.meta.operationId);
    expect(server.effectCount).toBe(2);
  });

  it('across instances: the second waits for the first, or is told at once', async () => {
    const one = await instance([slowly(300)]);
    const two = await instance([], {}, one);
    const first = one.tx.callTool('pay', {}, key);
    await one.clock.settle();
    const busy = await two.tx.tryCallTool('pay', {}, { ...key, ifBusy: 'fail' });
    expect(busy).toMatchObject({
      ok: false,
      error: { code: 'IN_PROGRESS', retryable: true, retryAt: expect.any(Number) },
    });
    const second = await within(one.clock, 900, two.tx.callTool('pay', {}, key));
    expect(second.meta.duplicate).toBe(true);
    await first;
    expect(one.server.effectCount).toBe(1);
  });
});

describe('overload', () => {
  it('lets a bounded number through, queues a bounded number, refuses the rest before any record', async () => {
    const limits = { maxInFlight: 2, maxQueued: 3 };
    const { tx, server, clock, ledger } = await instance(
      Array.from({ length: 9 }, () => slowly(50)),
      { limits },
    );
    const calls = Array.from({ length: 9 }, () => tx.tryCallTool('pay'));
    await clock.advance(1);
    expect(server.sends).toHaveLength(2);
    expect((await ledger.list({})).records).toHaveLength(2);
    const done = await within(clock, 500, Promise.all(calls));
    expect(done.filter((outcome) => outcome.ok)).toHaveLength(5);
    for (const outcome of done)
      if (!outcome.ok) expect(outcome.error).toMatchObject({ code: 'OVERLOADED', execution: 'none', retryable: true });
  });

  it('nobody waits in line past his deadline', async () => {
    const { tx, clock, server } = await instance([fates.lostAnswer], { limits: { maxInFlight: 1 } });
    void tx.tryCallTool('pay', {}, { timeoutMs: 2_000 });
    const outcome = await within(clock, 400, tx.tryCallTool('pay', {}, { timeoutMs: 300 }));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'DEADLINE_EXCEEDED', execution: 'none' } });
    expect(server.sends).toHaveLength(1);
    expect((await tx.health()).queued).toBe(0);
  });

  it('a caller who has gone holds no slot, however long the server is silent', async () => {
    const { tx, clock } = await instance([fates.lostAnswer], { limits: { maxInFlight: 1 } });
    await within(clock, 300, tx.tryCallTool('pay', {}, { timeoutMs: 200 }));
    expect(await within(clock, 50, tx.tryCallTool('pay'))).toMatchObject({ ok: true });
  });

  it('a stored answer needs no slot', async () => {
    const { tx, server, clock } = await instance([], { limits: { maxInFlight: 1, maxQueued: 0 } });
    await tx.callTool('pay', {}, key);
    server.fates.push(slowly(500));
    const slow = tx.tryCallTool('read');
    await clock.settle();
    expect(await tx.tryCallTool('read')).toMatchObject({ ok: false, error: { code: 'OVERLOADED' } });
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({ ok: true, meta: { duplicate: true } });
    await within(clock, 600, slow);
  });
});

describe('a server that fails', () => {
  it('[G:I13] is not answered with a multiple of the load', async () => {
    const operations = 2_000;
    const { tx, server, clock } = await instance([], {
      tools: { pay: { idempotent: true } },
      breaker: false,
      timeoutMs: 50,
      limits: { maxInFlight: 100_000, maxQueued: 0 },
      settleGraceMs: 0,
    });
    server.fates.push(...Array.from({ length: operations * 3 }, () => fates.reset));
    for (let n = 0; n < operations / 100; n += 1) {
      await within(clock, 200, Promise.all(Array.from({ length: 100 }, () => tx.tryCallTool('pay'))));
    }
    expect(server.sends.length).toBeGreaterThan(operations);
    expect(server.sends.length).toBeLessThanOrEqual(1.1 * operations + 10);
  });

  it('trips the breaker: calls are refused at once and without a record; one probe at a time finds out', async () => {
    const breaker = { failureThreshold: 3, openMs: 1_000, halfOpenProbes: 1 };
    const { tx, server, clock, ledger } = await instance([fates.reset, fates.reset, fates.reset, slowly(20)], {
      breaker,
    });
    for (let n = 0; n < 3; n += 1) await within(clock, 50, tx.tryCallTool('pay'));
    const refused = await tx.tryCallTool('pay', {}, key);
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'BREAKER_OPEN', execution: 'none', retryable: true, retryAt: expect.any(Number) },
    });
    expect((await ledger.list({})).records).toHaveLength(3);
    await clock.advance(1_300);
    const probe = tx.tryCallTool('pay', {}, key);
    await clock.settle();
    expect((await tx.health()).breaker).toBe('half-open');
    expect(await within(clock, 1_200, tx.tryCallTool('read', {}, { retry: { maxAttempts: 1 } }))).toMatchObject({
      ok: false,
      error: { code: 'BREAKER_OPEN' },
    });
    expect(await within(clock, 100, probe)).toMatchObject({ ok: true });
    expect(server.sends).toHaveLength(4);
    expect((await tx.health()).breaker).toBe('closed');
  });

  it('an answered refusal is no fault of the server', async () => {
    const { tx, clock } = await instance(
      Array.from({ length: 20 }, () => fates.rejected),
      { breaker: { failureThreshold: 3 } },
    );
    for (let n = 0; n < 20; n += 1) await within(clock, 50, tx.tryCallTool('pay'));
    expect((await tx.health()).breaker).toBe('closed');
  });
});
