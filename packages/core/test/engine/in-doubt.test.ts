import { describe, expect, it } from 'vitest';
import type { ProbeVerdict } from '../../src/index.ts';
import { crashed, instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const found: ProbeVerdict = { verdict: 'completed', result: { content: [{ type: 'text', text: 'seen' }] } };
const withProbe = (probe: () => ProbeVerdict | Promise<ProbeVerdict>) => ({ tools: { pay: { probe } } });

describe('a probe, asked before doubt is accepted', () => {
  it('ends it with the result that it found', async () => {
    const { tx, server, clock } = await instance(
      [fates.resetAfterEffect],
      withProbe(() => found),
    );
    const { result, meta } = await within(clock, 100, tx.callTool('pay', {}, key));
    expect(result.content?.[0]?.text).toBe('seen');
    expect(meta).toMatchObject({ resolvedBy: 'probe', execution: 'done', recorded: true });
    expect(server.effectCount).toBe(1);
  });

  it('is not believed that it did not happen while the send may still take effect', async () => {
    const { tx, server, clock } = await instance(
      [fates.reset],
      withProbe(() => ({ verdict: 'absent' })),
    );
    expect(await within(clock, 100, tx.tryCallTool('pay', {}, key))).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT' },
    });
    expect(server.sends).toHaveLength(1);
  });

  it('is believed once the send is dead: then the call is sent again', async () => {
    const { tx, server, clock } = await instance(
      [fates.reset],
      withProbe(() => ({ verdict: 'absent' })),
    );
    server.dead = true;
    const { meta } = await within(clock, 100, tx.callTool('pay', {}, key));
    expect(meta).toMatchObject({ execution: 'done', attempts: 2 });
    expect(server.effectCount).toBe(1);
  });

  it('is told what it needs, and may read', async () => {
    let told: object = {};
    const { tx, server, clock } = await instance([fates.resetAfterEffect], {
      tools: {
        pay: {
          probe: async (operation, { callTool }) => {
            told = operation;
            await callTool('read', { of: 'order' });
            return found;
          },
        },
      },
    });
    const { meta } = await within(clock, 100, tx.callTool('pay', { amount: 1 }, key));
    expect(told).toMatchObject({
      tool: 'pay',
      arguments: { amount: 1 },
      idempotencyKey: 'order:42',
      operationId: meta.operationId,
      attempts: 1,
    });
    expect(server.sends.map((send) => send.tool)).toEqual(['pay', 'read']);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no'))],
    ['answers nonsense', () => 'yes' as never],
    ['never answers', () => new Promise<never>(() => undefined)],
  ])('counts for nothing when it %s', async (_how, probe) => {
    const { tx, clock } = await instance([fates.reset], withProbe(probe));
    expect(await within(clock, 1_100, tx.tryCallTool('pay', {}, key))).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT' },
    });
  });

  it('is asked when the attempt’s time is over and the connection is merely silent', async () => {
    const { tx, clock } = await instance(
      [fates.lostAnswer],
      withProbe(() => found),
    );
    const call = tx.callTool('pay', {}, { ...key, attemptTimeoutMs: 200 });
    expect((await within(clock, 300, call)).meta.resolvedBy).toBe('probe');
  });
});

describe('a sweep', () => {
  it('asks probes about everything in doubt; "absent" ends it only after the time in which it could still happen', async () => {
    let verdict: ProbeVerdict = { verdict: 'unknown' };
    const { tx, clock } = await instance(
      [fates.reset],
      withProbe(() => verdict),
    );
    const outcome = await within(clock, 100, tx.tryCallTool('pay', {}, key));
    const operationId = outcome.ok ? '' : (outcome.error.operationId ?? '');
    expect(await tx.sweep()).toMatchObject({ probed: 1, resolved: 0 });
    verdict = { verdict: 'absent' };
    expect(await tx.sweep()).toMatchObject({ probed: 1, resolved: 0 });
    await clock.advance(1_700); // attempt 1,000 + grace 500 + quiet 100
    expect(await tx.sweep()).toMatchObject({ probed: 1, resolved: 1 });
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({
      ok: false,
      error: { code: 'NOT_EXECUTED', execution: 'none' },
    });
    expect(await tx.auditTrail(operationId)).toMatchObject([{ by: 'probe', action: 'resolved', state: 'failed' }]);
  });

  it('[G:I3] [G:I10] finds what a dead owner left behind', async () => {
    const dead = await crashed([fates.lostAnswer], (tx) => tx.callTool('pay', {}, { ...key, timeoutMs: 900_000 }));
    const { tx, clock } = await instance([], {}, dead);
    expect((await tx.sweep()).inDoubt).toBe(0);
    await clock.advance(3_100);
    expect((await tx.sweep()).inDoubt).toBe(1);
    const page = await tx.listOperations({ states: ['in_doubt'] });
    expect(page.records).toMatchObject([{ tool: 'pay', outcome: { reason: 'owner-lost' } }]);
  });

  it('runs a stored call that was never sent, while its deadline lasts', async () => {
    for (const [deadlineMs, runs] of [
      [601_000, 1],
      [610, 0],
    ] as const) {
      const retry = { baseDelayMs: deadlineMs - 10, maxDelayMs: 600_000, jitter: 'none' } as const;
      const options = { storeArguments: true, retry, timeoutMs: deadlineMs };
      const dead = await crashed([fates.refused], (tx) => tx.callTool('pay', { amount: 7 }, key), options);
      const record = (await dead.ledger.list({})).records[0];
      expect(record).toMatchObject({ state: 'claimed', arguments: '{"amount":7}' });
      const { tx, clock, server } = await instance([], {}, dead);
      await clock.advance(3_100);
      expect((await tx.sweep()).run).toBe(runs);
      expect(server.effectCount).toBe(runs);
      const after = await tx.getOperation(record?.operationId ?? '');
      expect(after?.state).toBe(runs === 1 ? 'completed' : 'claimed');
      expect(after?.leaseUntil).toBe(0); // given back: no sweep has to look at it again
      expect(await tx.sweep()).toMatchObject({ run: 0, released: 0 });
    }
  });

  it('runs in the background, at once and then now and again', async () => {
    const { clock, ledger } = await instance();
    let sweeps = 0;
    const counting = Object.create(ledger, {
      sweep: {
        value: async () => {
          sweeps += 1;
          return [];
        },
      },
      list: { value: async () => ({ records: [] }) },
      purge: { value: async () => 0 },
    });
    const { tx } = await instance([], { sweepIntervalMs: 1_000, ledger: counting, clock });
    await clock.advance(2_500);
    expect(sweeps).toBe(3);
    await within(clock, 10, tx.close());
    await clock.advance(5_000);
    expect(sweeps).toBe(3);
  });
});

describe('an operator', () => {
  it('ends doubt by name and reason, and callers get the verdict', async () => {
    const { tx, clock } = await instance([fates.reset]);
    const outcome = await within(clock, 100, tx.tryCallTool('pay', {}, key));
    const operationId = outcome.ok ? '' : (outcome.error.operationId ?? '');
    await expect(tx.resolve(operationId, { outcome: 'completed', by: '', reason: 'x' })).rejects.toMatchObject({
      code: 'CALL_INVALID',
    });
    await expect(tx.resolve(operationId, { outcome: 'completed', by: 'ann', reason: ' ' })).rejects.toMatchObject({
      code: 'CALL_INVALID',
    });
    await expect(tx.resolve('op_none', { outcome: 'completed', by: 'ann', reason: 'x' })).rejects.toMatchObject({
      code: 'OPERATION_NOT_FOUND',
    });
    const record = await tx.resolve(operationId, {
      outcome: 'completed',
      by: 'ann',
      reason: 'saw it in the bank',
      result: { content: [] },
    });
    expect(record).toMatchObject({ state: 'completed', resolvedBy: 'ann' });
    expect(await tx.callTool('pay', {}, key)).toMatchObject({ meta: { resolvedBy: 'ann', duplicate: true } });
    await expect(tx.resolve(operationId, { outcome: 'not_executed', by: 'bob', reason: 'x' })).rejects.toMatchObject({
      code: 'CALL_INVALID',
    });
  });
});
