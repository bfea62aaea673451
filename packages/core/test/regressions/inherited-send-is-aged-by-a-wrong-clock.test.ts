// A process whose clock is ahead took a send that it had inherited for an old one, believed a probe's `absent`, and sent again.
import { expect, it } from 'vitest';
import { virtualClock } from '../../src/index.ts';
import { crashed, instance, within } from '../support/instance.ts';

it('[G:I1] a send of a former owner is not taken for dead by a clock that is ahead', async () => {
  const slow = { runs: true, afterMs: 600 }; // well within the window in which a send may still take effect
  const tools = { pay: { probe: () => ({ verdict: 'absent' }) as const } };
  const pay = { idempotencyKey: 'order:42' };
  const world = await crashed([slow], (tx) => tx.callTool('pay', {}, pay), { leaseMs: 300 });
  await world.clock.advance(301);
  const ahead = { ...virtualClock(), ...world.clock, now: () => world.clock.now() + 60_000 };
  const { tx } = await instance([], { clock: ahead, tools, leaseMs: 300 }, world);
  const told = await within(world.clock, 2_000, tx.tryCallTool('pay', {}, pay));
  expect(told).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  await world.clock.advance(2_000);
  expect(world.server.effectCount).toBe(1);
});
