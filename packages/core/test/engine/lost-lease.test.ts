// DESIGN 3.2: an answer needs no live lease. What an owner knows of its own sends ends the doubt about them, and about no others.
import { describe, expect, it } from 'vitest';
import type { McpTxOptions } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { fates } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const options = { leaseMs: 200, safetyMarginMs: 50, timeoutMs: 3_000, renewLeases: false };

/** One owner sends and is paused past its lease; another takes the operation over; then the first one's send ends. */
async function overtaken(first: Fate, second: readonly Fate[], more: Partial<McpTxOptions> = {}) {
  const one = await instance([{ ...first, afterMs: 600 }], { ...options, ...more });
  const own = one.tx.tryCallTool('pay', {}, { ...key, attemptTimeoutMs: 2_900 });
  await one.clock.advance(300);
  const two = await instance(second, { ...options, ...more }, one);
  const other = two.tx.tryCallTool('pay', {}, { ...key, timeoutMs: 1_500, attemptTimeoutMs: 1_400 });
  const told = await within(one.clock, 3_000, own);
  const record = async () => (await one.ledger.list({})).records[0];
  return { ...one, two, other, told, record };
}

describe('an owner that was taken over and whose sends did not run', () => {
  it.each([
    ['429', fates.busy],
    ['400', fates.rejected],
  ])('ends the doubt that it left behind: %s', async (_what, fate) => {
    const { tx, clock, other, told, record, server } = await overtaken(fate, []);
    expect(await within(clock, 10, other)).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect(told).toMatchObject({ ok: false, error: { execution: 'none', retryable: false } });
    expect(await record()).toMatchObject({ state: 'failed', resolvedBy: 'late-answer' });
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({ ok: false, error: { execution: 'none' } });
    expect(server.effectCount).toBe(0);
  });

  it.each([
    ['429', fates.busy],
    ['400', fates.rejected],
  ])('[G:I8] says nothing of what another owner has sent since: %s', async (_what, fate) => {
    const idempotent = { tools: { pay: { idempotent: true } }, settleGraceMs: 50 };
    const lost = [{ ...fates.lostAnswer, afterMs: 900 }];
    const { clock, other, told, record, server } = await overtaken(fate, lost, {
      ...idempotent,
      retry: { maxAttempts: 2 },
    });
    expect(told).toMatchObject({ ok: false, error: { execution: 'unknown' } });
    await within(clock, 3_000, other);
    await clock.advance(3_000);
    expect(server.effectCount).toBe(1);
    expect((await record())?.state).toBe('in_doubt');
  });

  it('ends the doubt of a sweep, too: nobody has claimed the operation since', async () => {
    const one = await instance([{ ...fates.refused, afterMs: 600 }], options);
    const own = one.tx.tryCallTool('pay', {}, key);
    await one.clock.advance(300);
    expect(await one.tx.sweep()).toMatchObject({ inDoubt: 1 });
    expect(await within(one.clock, 3_000, own)).toMatchObject({ ok: false, error: { execution: 'none' } });
    expect((await one.ledger.list({})).records[0]).toMatchObject({ state: 'failed', resolvedBy: 'late-answer' });
  });
});
