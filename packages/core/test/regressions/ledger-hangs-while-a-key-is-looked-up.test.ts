// A call with a key to a tool that there is not looked the key up first, for as long as the ledger took.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';

it('[G:I5] the look at a stored answer ends with the deadline', async () => {
  const world = await instance();
  const ledger = overrideLedger(world.ledger, { find: () => new Promise(() => undefined) });
  const { tx, clock } = await instance([], { ledger }, world);
  const told = await within(clock, 1_000, tx.tryCallTool('nope', {}, { idempotencyKey: 'k' }));
  expect(told).toMatchObject({ ok: false, error: { code: 'TOOL_NOT_FOUND' } });
  await within(clock, 10, tx.close({ graceMs: 0 }));
  expect(clock.pending).toBe(0);
});
