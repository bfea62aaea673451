// DESIGN 3.5: "after the dispatch of an unsafe tool nothing cancels it by default". When the grace is over, or at close(), the engine
// sends notifications/cancelled for the send that it stops listening to, which makes a half-done effect likelier.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

it('an unsafe send is not cancelled when the engine stops listening', async () => {
  const { tx, server, clock } = await instance([fates.lostAnswer]);
  await within(clock, 1_100, tx.tryCallTool('pay', {}, { idempotencyKey: 'k' }));
  await clock.advance(1_000);
  expect(server.sends[0]?.cancelled).toBeUndefined();
});

it('nor when the instance closes', async () => {
  const { tx, server, clock } = await instance([fates.lostAnswer]);
  void tx.tryCallTool('pay', {}, { idempotencyKey: 'k' });
  await clock.settle();
  await within(clock, 3_000, tx.close({ graceMs: 10 }));
  expect(server.sends[0]?.cancelled).toBeUndefined();
});
