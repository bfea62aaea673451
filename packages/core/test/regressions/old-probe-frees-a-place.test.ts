// DESIGN 3.6: "half-open admits k probes". A probe of an earlier half-open time, withdrawn in a later one, freed a place there that it
// did not hold, and one probe more than k went out.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

it('an abort of an old probe admits no second probe beside the present one', async () => {
  const resetLate = { afterMs: 1_400, ends: { lost: true } };
  const { tx, clock, server } = await instance([resetLate, fates.reset, fates.lostRequest, slowly(500)], {
    breaker: { failureThreshold: 1, openMs: 1_000, halfOpenProbes: 1 },
    timeoutMs: 20_000,
  });
  const early = tx.tryCallTool('pay'); // leaves before the breaker opens, and is reset while it is half-open
  await within(clock, 50, tx.tryCallTool('pay')); // opens it
  await clock.advance(1_300);
  const abort = new AbortController();
  const oldProbe = tx.tryCallTool('pay', {}, { signal: abort.signal });
  await within(clock, 200, early); // opens it again
  await clock.advance(1_300);
  const probe = tx.tryCallTool('pay');
  await clock.advance(1);
  expect(server.sends).toHaveLength(4);
  abort.abort();
  await within(clock, 10, oldProbe);
  expect(await within(clock, 10, tx.tryCallTool('read'))).toMatchObject({ error: { code: 'BREAKER_OPEN' } });
  expect(server.sends).toHaveLength(4);
  expect(await within(clock, 600, probe)).toMatchObject({ ok: true });
});
