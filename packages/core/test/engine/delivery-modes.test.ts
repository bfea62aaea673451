import { describe, expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { answered, fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('at-most-once, the default', () => {
  const ambiguous: readonly (readonly [string, Fate])[] = [
    ['reset before the effect', fates.reset],
    ['reset after the effect', fates.resetAfterEffect],
    ['an error that does not say whether it ran', fates.serverError],
    ['an answer that never comes', fates.lostAnswer],
    ['a request that never arrives', fates.lostRequest],
  ];
  it.each(ambiguous)('[G:I1] does not send again after %s', async (_name, fate) => {
    const { tx, server, clock } = await instance([fate]);
    const outcome = await within(clock, 2_000, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', execution: 'unknown', retryable: false } });
    await clock.advance(5_000);
    expect(server.sends).toHaveLength(1);
    expect(server.effectCount).toBeLessThanOrEqual(1);
  });

  it('[G:I9] answers a repeat of a key in doubt with the same doubt, and sends nothing', async () => {
    const { tx, server, clock } = await instance([fates.resetAfterEffect]);
    await tx.tryCallTool('pay', {}, key);
    const repeat = await within(clock, 100, tx.tryCallTool('pay', {}, key));
    expect(repeat).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT', reason: 'connection-lost', meta: { duplicate: true } },
    });
    expect(server.sends).toHaveLength(1);
  });

  it('sends again after what certainly did not run', async () => {
    const { tx, server, clock } = await instance([fates.refused, fates.busy]);
    const { meta } = await within(clock, 500, tx.callTool('pay', {}, key));
    expect(meta).toMatchObject({ execution: 'done', guarantee: 'at-most-once', duplicate: false });
    expect(server.sends).toHaveLength(3);
    expect(server.effectCount).toBe(1);
  });

  it('does not count a send that never left as an attempt', async () => {
    const { tx, clock } = await instance([fates.refused]);
    const { meta } = await within(clock, 500, tx.callTool('pay', {}, key));
    expect(meta.attempts).toBe(1);
  });

  it('keeps a verdict on the call like a result [G:I8]', async () => {
    const { tx, server } = await instance([fates.rejected]);
    const first = await tx.tryCallTool('pay', {}, key);
    const second = await tx.tryCallTool('pay', {}, key);
    for (const outcome of [first, second]) {
      expect(outcome).toMatchObject({
        ok: false,
        error: { code: 'REJECTED', execution: 'none', serverError: { status: 400 } },
      });
    }
    expect(server.sends).toHaveLength(1);
    expect(server.effectCount).toBe(0);
  });
});

describe('at-least-once', () => {
  const options = { tools: { pay: { idempotent: true } } };

  it('sends again after an unknown end, and says which mode held', async () => {
    const { tx, server, clock } = await instance([fates.resetAfterEffect, fates.reset], options);
    const { meta } = await within(clock, 500, tx.callTool('pay', {}, key));
    expect(meta).toMatchObject({ attempts: 3, guarantee: 'at-least-once' });
    expect(server.effectCount).toBe(2);
  });

  it('sends again when half of the deadline has passed in silence', async () => {
    const { tx, server, clock } = await instance([fates.lostRequest], options);
    await within(clock, 600, tx.callTool('pay', {}, key));
    expect(server.sends.map((send) => Math.round(send.at))).toEqual([0, 510]);
  });

  it('takes the answer to an earlier send when it comes first', async () => {
    const { tx, server, clock } = await instance([slowly(520, { isError: false }), fates.lostRequest], options);
    const { meta } = await within(clock, 700, tx.callTool('pay', {}, key));
    expect(meta.attempts).toBe(2);
    expect(server.sends[1]?.cancelled).toBe('the operation has ended');
  });

  it('[G:I6] never sends more often than allowed', async () => {
    const { tx, server, clock } = await instance([fates.reset, fates.reset, fates.reset, fates.reset], options);
    const outcome = await within(clock, 2_000, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', meta: { attempts: 3 } } });
    expect(server.sends).toHaveLength(3);
  });

  it('[G:I8] does not say "not executed" after a refusal that followed a send nobody answered', async () => {
    const { tx, clock } = await instance([fates.resetAfterEffect, fates.rejected], options);
    const outcome = await within(clock, 2_000, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', execution: 'unknown' } });
  });

  it('leaves no doubt about a read: the caller may just repeat it', async () => {
    const { tx, clock, ledger } = await instance([fates.reset, fates.reset, fates.reset], {
      tools: { read: { readOnly: true } },
    });
    const outcome = await within(clock, 2_000, tx.tryCallTool('read', {}, key));
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'DEADLINE_EXCEEDED', execution: 'unknown', retryable: true },
    });
    expect((await ledger.stats({})).byState.in_doubt).toBe(0);
    expect(await within(clock, 100, tx.tryCallTool('read', {}, key))).toMatchObject({ ok: true });
  });

  it('holds for a whole server by the user’s word', async () => {
    const { tx, clock } = await instance([fates.resetAfterEffect], { delivery: 'at-least-once' });
    const { meta } = await within(clock, 500, tx.callTool('pay', {}, key));
    expect(meta).toMatchObject({ attempts: 2, guarantee: 'at-least-once' });
  });
});

describe('effectively-once', () => {
  it('[G:I1] sends the same operation id again to a server that recognises it', async () => {
    const { tx, server, clock } = await instance([fates.reset]);
    server.speaksMcpTx = true;
    const { meta } = await within(clock, 500, tx.callTool('pay', {}, key));
    const ids = server.sends.map((send) => send.identity.operationId);
    expect(ids).toEqual([meta.operationId, meta.operationId]);
    expect(meta.guarantee).toBe('effectively-once');
  });

  it('fills the argument by which the tool recognises repeats, and only that', async () => {
    const { tx, server, clock } = await instance([fates.reset], {
      tools: { pay: { idempotencyArgument: '/idempotency_key' } },
    });
    const { meta } = await within(clock, 500, tx.callTool('pay', { amount: 1 }, key));
    expect(server.sends.map((send) => send.arguments)).toEqual(
      Array(2).fill({ amount: 1, idempotency_key: meta.operationId }),
    );
    expect(meta.guarantee).toBe('effectively-once');
  });

  it('refuses a caller who fills that argument himself', async () => {
    const { tx, server } = await instance([], { tools: { pay: { idempotencyArgument: '/key' } } });
    await expect(tx.callTool('pay', { key: 'mine' })).rejects.toMatchObject({ code: 'CALL_INVALID' });
    expect(server.sends).toHaveLength(0);
  });

  it('cannot be asked of a server that recognises nothing', async () => {
    const { tx } = await instance();
    await expect(tx.callTool('pay', {}, { delivery: 'effectively-once' })).rejects.toMatchObject({
      code: 'CALL_INVALID',
    });
  });
});

describe('hints of the server', () => {
  const hinted = { name: 'pay', annotations: { readOnlyHint: true, idempotentHint: true } };

  it('widen nothing while the server is not trusted', async () => {
    const { tx, server, clock } = await instance([fates.resetAfterEffect]);
    server.tools = [hinted];
    server.onToolsChanged();
    expect(await within(clock, 100, tx.tryCallTool('pay'))).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  });

  it('count from a trusted server', async () => {
    const { tx, server, clock } = await instance([fates.reset], { trusted: true });
    server.tools = [hinted];
    server.onToolsChanged();
    expect((await within(clock, 100, tx.callTool('pay'))).meta.guarantee).toBe('at-least-once');
  });
});

describe('what a server answers', () => {
  it('completes with isError as well: the tool ran', async () => {
    const { tx } = await instance([{ runs: true, ends: answered({ isError: true }) }]);
    expect((await tx.callTool('pay', {}, key)).result.isError).toBe(true);
  });

  it('never completes with a task: it goes on elsewhere', async () => {
    const { tx, ledger } = await instance([{ runs: true, ends: answered({ task: { taskId: 't1' } }) }]);
    const outcome = await tx.tryCallTool('pay', {}, key);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'remote-task' } });
    const [record] = (await ledger.list({ states: ['in_doubt'] })).records;
    expect(record?.outcome).toMatchObject({ taskId: 't1' });
  });

  it('re-authenticates or begins a new session once, then gives the key back', async () => {
    for (const [fate, recovery] of [
      [fates.forbidden, 'auth'],
      [fates.sessionGone, 'session'],
    ] as const) {
      const { tx, server, clock } = await instance([fate]);
      await within(clock, 100, tx.callTool('pay', {}, key));
      expect(server.recoveries).toEqual([recovery]);
    }
    const { tx, clock } = await instance([fates.forbidden, fates.forbidden]);
    const outcome = await within(clock, 100, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED', execution: 'none', retryable: true } });
    expect(await within(clock, 100, tx.tryCallTool('pay', {}, key))).toMatchObject({ ok: true });
  });
});
