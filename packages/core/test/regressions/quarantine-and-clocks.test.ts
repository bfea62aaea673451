// A repeat without a key passed the quarantine: the process's clock was behind the store's, or its caller had only aborted.
import { expect, it } from 'vitest';
import { virtualClock } from '../../src/index.ts';
import type { Instance } from '../support/instance.ts';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const GUARDED = { quarantineMs: 60_000 };

async function expectHeldBack({ tx, clock, server }: Instance): Promise<void> {
  const repeat = await within(clock, 2_000, tx.tryCallTool('pay', { amount: 1 }));
  expect(repeat).toMatchObject({ ok: false, error: { code: 'REPEAT_QUARANTINED' } });
  expect(server.sends).toHaveLength(1);
}

it('a call past its deadline holds equal ones back, whatever the clocks say', async () => {
  const world = await instance();
  const ahead = { ...virtualClock(), ...world.clock, now: () => world.clock.now() + 3_600_000 };
  const one = await instance([fates.lostAnswer], { ...GUARDED, clock: ahead }, world);
  const deadlineAt = world.clock.now() + 1_000; // by the store's clock
  await within(world.clock, 2_000, one.tx.tryCallTool('pay', { amount: 1 }));
  expect((await world.ledger.list({})).records).toMatchObject([{ deadlineAt }]);
  await expectHeldBack({ ...one, clock: world.clock });
});

it('so does one whose caller has aborted, long before its deadline', async () => {
  const one = await instance([fates.lostAnswer], GUARDED);
  const abort = new AbortController();
  const told = one.tx.tryCallTool('pay', { amount: 1 }, { signal: abort.signal });
  await one.clock.advance(10);
  abort.abort();
  expect(await told).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  await expectHeldBack(one);
});

it('repeatOf passes it, and other arguments are another call', async () => {
  const one = await instance([fates.lostAnswer], GUARDED);
  const abort = new AbortController();
  const told = one.tx.tryCallTool('pay', { amount: 1 }, { signal: abort.signal });
  await one.clock.advance(10);
  abort.abort();
  const first = await told;
  const repeatOf = first.ok ? '' : (first.error.operationId ?? '');
  expect(await within(one.clock, 100, one.tx.tryCallTool('pay', { amount: 2 }))).toMatchObject({ ok: true });
  expect(await within(one.clock, 100, one.tx.tryCallTool('pay', { amount: 1 }, { repeatOf }))).toMatchObject({
    ok: true,
  });
});
