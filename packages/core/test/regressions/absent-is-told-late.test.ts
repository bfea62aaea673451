// A probe looked while the send could still take effect, and its answer, `absent`, came when it no longer could: it was believed.
import { expect, it } from 'vitest';
import { sleep } from '../../src/runtime/clock.ts';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const KEY = { idempotencyKey: 'k' };

it('[G:I1] what a driver’s probe saw too early is not believed, however late it is told', async () => {
  const world = await instance();
  const probe = async () => {
    await sleep(world.clock, 1_500); // the window of this send is 400 + 500 + 100
    return { verdict: 'absent' } as const;
  };
  const { tx, server, clock } = await instance([fates.reset], { tools: { pay: { probe } } }, world);
  const told = await within(
    clock,
    3_000,
    tx.tryCallTool('pay', {}, { ...KEY, timeoutMs: 2_900, attemptTimeoutMs: 400 }),
  );
  expect(told).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  expect(server.sends).toHaveLength(1);
});

it('[G:I8] nor is what a sweep’s probe saw too early', async () => {
  const world = await instance([fates.reset]);
  const { clock, ledger } = world;
  await within(clock, 2_000, world.tx.tryCallTool('pay', {}, KEY));
  const probe = async () => {
    await sleep(clock, 5_000);
    return { verdict: 'absent' } as const;
  };
  const { tx } = await instance([], { tools: { pay: { probe } } }, world);
  expect(await within(clock, 6_000, tx.sweep())).toMatchObject({ probed: 1, resolved: 0 });
  expect(await within(clock, 6_000, tx.sweep())).toMatchObject({ probed: 1, resolved: 1 });
  expect((await ledger.list({})).records).toMatchObject([{ state: 'failed', resolvedBy: 'probe' }]);
});
