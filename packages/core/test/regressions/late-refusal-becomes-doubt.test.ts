// DESIGN 3.2: nothing executed = release (429, not sent) or failed (400), the key is not burnt. An engine that hears it after the
// caller's deadline records in_doubt('timeout') instead, although it knows.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

it.each([
  ['429', fates.busy, 'claimed'],
  ['a send that never left', fates.refused, 'claimed'],
  ['400', fates.rejected, 'failed'],
])('%s after the deadline is known not to have run', async (_what, fate, state) => {
  const { tx, clock, ledger } = await instance([{ ...fate, afterMs: 1_200 }]);
  const outcome = await within(clock, 1_100, tx.tryCallTool('pay', {}, { idempotencyKey: 'k' }));
  expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  await clock.advance(1_500);
  expect((await ledger.list({})).records[0]?.state).toBe(state);
});
