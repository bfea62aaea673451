// DESIGN 3.6: "half-open admits k probes and refuses the rest at once". A send from before the breaker opened was never admitted, and
// yet withdraws when its caller aborts (attempt.ts noAnswer, judge): that frees the place of another call's probe.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

it('an abort of a send that was never admitted lets no second probe through', async () => {
  const { tx, server, clock } = await instance([fates.lostAnswer, fates.reset, slowly(900), slowly(10)], {
    breaker: { failureThreshold: 1, openMs: 1_000, halfOpenProbes: 1 },
    timeoutMs: 9_000,
  });
  const abort = new AbortController();
  const old = tx.tryCallTool('pay', {}, { signal: abort.signal });
  await clock.settle();
  await within(clock, 50, tx.tryCallTool('pay'));
  await clock.advance(1_300);
  const probe = tx.tryCallTool('pay');
  await clock.advance(1);
  expect(server.sends).toHaveLength(3);
  abort.abort();
  await clock.advance(1);
  const other = tx.tryCallTool('pay', {}, { retry: { maxAttempts: 1 } });
  await clock.advance(1);
  expect(server.sends).toHaveLength(3);
  await within(clock, 9_000, Promise.all([old, probe, other]));
});
