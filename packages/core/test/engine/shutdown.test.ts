import { describe, expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('close()', () => {
  it('lets calls under way end, and refuses new ones', async () => {
    const { tx, server, clock } = await instance([slowly(200)]);
    const call = tx.callTool('pay', {}, key);
    await clock.settle();
    const closing = tx.close({ graceMs: 1_000 });
    await expect(tx.callTool('pay')).rejects.toMatchObject({ code: 'CLOSED', execution: 'none' });
    expect(await within(clock, 300, call)).toMatchObject({ meta: { execution: 'done' } });
    await within(clock, 300, closing);
    expect(server.closed).toBe(1);
  });

  it('records what is unanswered after the grace as in doubt, and tells its callers', async () => {
    const { tx, clock, ledger } = await instance([fates.lostAnswer]);
    const call = tx.tryCallTool('pay', {}, key);
    await clock.settle();
    const closing = tx.close({ graceMs: 100 });
    expect(await within(clock, 200, call)).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT', reason: 'shutdown' },
    });
    await within(clock, 3_000, closing);
    expect((await ledger.list({})).records).toMatchObject([{ state: 'in_doubt', outcome: { reason: 'shutdown' } }]);
  });

  it('leaves a call that may be sent again to the next process', async () => {
    const options = { tools: { pay: { idempotent: true } } };
    const one = await instance([fates.lostRequest], options);
    void one.tx.tryCallTool('pay', {}, key);
    await one.clock.settle();
    await within(one.clock, 5_000, one.tx.close({ graceMs: 0 }));
    const two = await instance([], { ...options, timeoutMs: 5_000 }, one);
    expect(await within(one.clock, 5_000, two.tx.callTool('pay', {}, key))).toMatchObject({ meta: { attempts: 2 } });
  });

  it('refuses calls that still wait in line or for their next send', async () => {
    const { tx, clock, server } = await instance([slowly(5_000), fates.refused], {
      limits: { maxInFlight: 1 },
      timeoutMs: 9_000,
    });
    const running = tx.tryCallTool('pay', {}, key);
    const waiting = tx.tryCallTool('read');
    await clock.settle();
    const closing = tx.close({ graceMs: 50 });
    expect(await within(clock, 200, waiting)).toMatchObject({
      ok: false,
      error: { code: 'CLOSED', execution: 'none' },
    });
    await within(clock, 200, running);
    await within(clock, 3_000, closing);
    expect(server.sends).toHaveLength(1);
  });

  it('[G:I12] leaves no timer behind, whatever was under way', async () => {
    for (const fate of [fates.answer, fates.lostAnswer, fates.refused, fates.reset]) {
      const { tx, clock } = await instance([fate], { sweepIntervalMs: 1_000, tools: { pay: { idempotent: true } } });
      void tx.tryCallTool('pay', {}, key);
      await clock.advance(5);
      await within(clock, 9_000, tx.close({ graceMs: 10 }));
      await clock.advance(0);
      expect(clock.pending).toBe(0);
    }
  });

  it('is idempotent, and works as `await using`', async () => {
    const { tx, server } = await instance();
    expect(tx.close()).toBe(tx.close());
    await tx[Symbol.asyncDispose]();
    expect(server.closed).toBe(1);
    expect((await tx.health()).status).toBe('draining');
  });
});
