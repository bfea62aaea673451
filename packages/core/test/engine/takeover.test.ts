import { describe, expect, it } from 'vitest';
import type { McpTxOptions } from '../../src/index.ts';
import type { Instance } from '../support/instance.ts';
import { crashed, instance, within } from '../support/instance.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

/** A process that sent `fate` and then died. */
function crashedAfter(fate: Fate, options: Partial<McpTxOptions> = {}): Promise<Instance> {
  return crashed([fate], (tx) => tx.callTool('pay', { a: 1 }, { ...key, timeoutMs: 900_000 }), options);
}

async function survivor(
  dead: Instance,
  fatesInOrder: readonly Fate[] = [],
  options: Partial<McpTxOptions> = {},
): Promise<Instance> {
  return instance(fatesInOrder, { timeoutMs: 10_000, ...options }, dead);
}

describe('the owner died after the send', () => {
  it('[G:I1] an unsafe tool: in doubt, nothing sent again', async () => {
    const dead = await crashedAfter(fates.lostAnswer);
    const { tx, clock, server } = await survivor(dead);
    const outcome = await within(clock, 9_000, tx.tryCallTool('pay', { a: 1 }, key));
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT', reason: 'owner-lost', execution: 'unknown' },
    });
    expect(server.effectCount).toBe(1);
    expect(server.sends).toHaveLength(1);
  });

  it('not before its lease has run out', async () => {
    const dead = await crashedAfter(fates.lostAnswer);
    const { tx, clock } = await survivor(dead);
    const call = tx.tryCallTool('pay', { a: 1 }, key);
    await clock.advance(2_900);
    expect((await dead.ledger.list({})).records[0]?.state).toBe('sent');
    await within(clock, 1_000, call);
  });

  it('a tool that may be sent again: sent again under the same operation', async () => {
    const options = { tools: { pay: { idempotent: true } } };
    const dead = await crashedAfter(fates.lostAnswer, options);
    const { tx, clock, server } = await survivor(dead, [], options);
    const { meta } = await within(clock, 9_000, tx.callTool('pay', { a: 1 }, key));
    expect(meta).toMatchObject({ attempts: 2, execution: 'done' });
    expect(server.sends).toHaveLength(2);
  });

  it('the stricter of the two modes holds', async () => {
    const dead = await crashedAfter(fates.lostAnswer);
    const { tx, clock, server } = await survivor(dead, [], { tools: { pay: { idempotent: true } } });
    expect(await within(clock, 9_000, tx.tryCallTool('pay', { a: 1 }, key))).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT' },
    });
    expect(server.sends).toHaveLength(1);
  });

  it('[G:I6] attempts count on across processes', async () => {
    const options = { tools: { pay: { idempotent: true } } };
    const dead = await crashedAfter(fates.lostAnswer, options);
    const { tx, clock, server } = await survivor(dead, [fates.reset, fates.reset, fates.reset], options);
    await within(clock, 9_000, tx.tryCallTool('pay', { a: 1 }, key));
    expect(server.sends).toHaveLength(3);
  });

  it('[G:I7] with other arguments it is a conflict, not a take-over', async () => {
    const dead = await crashedAfter(fates.lostAnswer);
    const { tx, clock } = await survivor(dead);
    await clock.advance(4_000);
    expect(await tx.tryCallTool('pay', { a: 2 }, key)).toMatchObject({ ok: false, error: { code: 'KEY_CONFLICT' } });
  });

  it('[G:I4] the old owner’s answer, when it wakes up, ends the doubt as a late one', async () => {
    const dead = await crashedAfter(slowly(6_000));
    const { tx, clock, ledger } = await survivor(dead);
    await within(clock, 5_000, tx.tryCallTool('pay', { a: 1 }, key));
    const operation = (await ledger.list({ states: ['in_doubt'] })).records[0];
    expect(operation).toBeDefined();
    await clock.advance(4_000);
    expect(await tx.callTool('pay', { a: 1 }, key)).toMatchObject({
      meta: { duplicate: true, resolvedBy: 'late-answer' },
    });
    expect(await tx.auditTrail(operation?.operationId ?? '')).toMatchObject([
      { by: 'late-answer', action: 'resolved' },
    ]);
  });

  it('a late answer never overwrites a verdict: it is flagged as a contradiction', async () => {
    const dead = await crashedAfter(slowly(6_000));
    const { tx, clock, ledger } = await survivor(dead);
    const contradictions: string[] = [];
    dead.tx.on('operation.contradicted', ({ operationId }) => contradictions.push(operationId));
    await within(clock, 5_000, tx.tryCallTool('pay', { a: 1 }, key));
    const [operation] = (await ledger.list({ states: ['in_doubt'] })).records;
    await tx.resolve(operation?.operationId ?? '', { outcome: 'not_executed', by: 'ann', reason: 'the bank says so' });
    await clock.advance(4_000);
    const record = await tx.getOperation(operation?.operationId ?? '');
    expect(record).toMatchObject({ state: 'failed', contradicted: true, resolvedBy: 'ann' });
    expect(contradictions).toEqual([operation?.operationId]);
  });
});

describe('the owner died before the send', () => {
  it('anybody with the key takes over and runs it', async () => {
    const retry = { baseDelayMs: 600_000, maxDelayMs: 600_000, jitter: 'none' } as const;
    const dead = await crashed([fates.refused], (tx) => tx.callTool('pay', {}, { ...key, timeoutMs: 900_000 }), {
      retry,
    });
    expect((await dead.ledger.list({})).records[0]?.state).toBe('claimed');
    const { tx, clock, server } = await survivor(dead);
    const call = tx.callTool('pay', {}, key);
    await clock.advance(2_900);
    expect(server.effectCount).toBe(0);
    expect(await within(clock, 9_000, call)).toMatchObject({ meta: { execution: 'done', attempts: 1 } });
    expect(server.effectCount).toBe(1);
  });
});

describe('the lease', () => {
  it('is renewed for as long as the call lasts', async () => {
    const one = await instance([slowly(20_000)], { timeoutMs: 30_000 });
    const call = one.tx.callTool('pay', {}, key);
    const two = await instance([], { timeoutMs: 12_000 }, one);
    await within(one.clock, 13_000, two.tx.tryCallTool('pay', {}, key)).then((outcome) =>
      expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_PROGRESS' } }),
    );
    await within(one.clock, 10_000, call);
    expect(one.server.effectCount).toBe(1);
  });

  it('[G:I4] once it is lost, nothing more is sent; an answer that is under way still counts', async () => {
    const options = { tools: { pay: { idempotent: true } }, leaseMs: 200, safetyMarginMs: 50, timeoutMs: 2_000 };
    const one = await instance([slowly(900)], { ...options, renewLeases: false });
    const lost: unknown[] = [];
    one.tx.on('lease.lost', (event) => lost.push(event));
    const first = one.tx.callTool('pay', {}, { ...key, attemptTimeoutMs: 1_500 });
    await one.clock.advance(300);
    const two = await instance([fates.answer], options, one);
    const second = await within(one.clock, 500, two.tx.callTool('pay', {}, key));
    const late = await within(one.clock, 1_500, first);
    expect(JSON.stringify(late.result)).toBe(JSON.stringify(second.result));
    expect(lost).toHaveLength(1);
  });
});
