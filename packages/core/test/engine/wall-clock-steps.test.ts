// DESIGN 3.5: deadlines stand on a monotonic clock, lease time is judged by the store. A wall clock may step at any time.
import { describe, expect, it } from 'vitest';
import type { VirtualClock } from '../../src/index.ts';
import { memoryLedger, virtualClock } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const HOUR_MS = 3_600_000;

/** The same clock under another wall. */
function stepping(clock: VirtualClock) {
  const wall = { stepMs: 0 };
  const now = (): number => clock.now() + wall.stepMs;
  return { wall, clock: Object.create(clock, { now: { value: now } }) as VirtualClock };
}

describe.each([
  ['forwards', HOUR_MS],
  ['backwards', -HOUR_MS],
])('a wall clock that steps %s by an hour', (_direction, stepMs) => {
  it('[G:I5] moves no deadline, no attempt and no backoff of a call under way', async () => {
    const real = virtualClock(10 * HOUR_MS);
    const { wall, clock } = stepping(real);
    const ledger = memoryLedger({ clock: real });
    const options = { clock, ledger, tools: { pay: { idempotent: true } } };
    const { tx, server } = await instance([fates.reset, fates.lostRequest, slowly(5_000)], options);
    const before = real.monotonic();
    const call = tx.tryCallTool('pay', {}, { ...key, timeoutMs: 700, attemptTimeoutMs: 300 });
    await real.advance(5);
    wall.stepMs = stepMs;
    expect(await within(real, 2_000, call)).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect(real.monotonic() - before).toBe(700);
    expect(server.sends.map((send) => send.at - before)).toEqual([0, 10, 330]);
  });

  it('[G:I1] of the store costs an early or a late take-over, and never a second effect', async () => {
    const real = virtualClock(10 * HOUR_MS);
    const store = stepping(real);
    const ledger = memoryLedger({ clock: store.clock });
    const one = await instance([slowly(800)], { clock: real, ledger });
    const first = one.tx.tryCallTool('pay', {}, key);
    await real.advance(100);
    store.wall.stepMs = stepMs;
    const two = await instance([], { clock: real, ledger, timeoutMs: 500 }, { ...one, clock: real });
    const second = await within(real, 600, two.tx.tryCallTool('pay', {}, key));
    expect(second).toMatchObject({ ok: false, error: { execution: 'unknown' } });
    expect(await within(real, 1_000, first)).toMatchObject({ ok: true });
    expect(one.server.sends).toHaveLength(1);
    expect(await two.tx.callTool('pay', {}, key)).toMatchObject({ meta: { duplicate: true, execution: 'done' } });
  });

  it('of this machine makes no probe believed too early', async () => {
    const real = virtualClock(10 * HOUR_MS);
    const { wall, clock } = stepping(real);
    const tools = { pay: { probe: () => ({ verdict: 'absent' }) as const } };
    const { tx } = await instance([fates.reset], { clock, tools, ledger: memoryLedger({ clock: real }) });
    await within(real, 100, tx.tryCallTool('pay', {}, key));
    wall.stepMs = stepMs;
    expect(await tx.sweep()).toMatchObject({ probed: 1, resolved: 0 });
    await real.advance(1_000 + 500 + 100 + 1);
    expect(await tx.sweep()).toMatchObject({ probed: 1, resolved: 1 });
  });
});
