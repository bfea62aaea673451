// DESIGN 3.6: "half-open admits k probes and refuses the rest at once"; every admitted send is followed by exactly one word to the breaker.
import { describe, expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const breaker = { failureThreshold: 1, openMs: 1_000, halfOpenProbes: 1 };

describe('the half-open breaker', () => {
  it('does not stay half-open for ever after a probe whose caller aborted and whose answer never came', async () => {
    const { tx, clock } = await instance([fates.reset, fates.lostAnswer], { breaker });
    await within(clock, 50, tx.tryCallTool('pay'));
    await clock.advance(1_300);
    const abort = new AbortController();
    const probe = tx.tryCallTool('pay', {}, { signal: abort.signal });
    await clock.advance(10);
    abort.abort();
    await within(clock, 10, probe);
    await clock.advance(60_000); // the grace is long over; the server is well
    expect(await within(clock, 1_100, tx.tryCallTool('pay'))).toMatchObject({ ok: true });
  });

  it('admits one probe only, also without a ledger', async () => {
    const { tx, clock, server } = await instance([fates.reset, slowly(100), slowly(100), slowly(100)], {
      breaker,
      ledger: false,
    });
    await within(clock, 50, tx.tryCallTool('pay'));
    await clock.advance(1_300);
    const calls = [1, 2, 3].map(() => tx.tryCallTool('pay', {}, { retry: { maxAttempts: 1 } }));
    await clock.advance(1);
    expect(server.sends).toHaveLength(2);
    await within(clock, 1_100, Promise.all(calls));
  });

  it('is not told twice of one admitted send: a refused re-send frees no probe of another call', async () => {
    const { tx, clock, server } = await instance(
      [fates.reset, fates.reset, { runs: true, afterMs: 5_000, ends: fates.answer.ends ?? {} }, slowly(10)],
      {
        breaker: { ...breaker, failureThreshold: 2 },
        timeoutMs: 20_000,
        attemptTimeoutMs: 20_000,
        tools: { pay: { idempotent: true } },
        retry: { baseDelayMs: 1_500, maxDelayMs: 1_500, jitter: 'none', maxAttempts: 3 },
      },
    );
    const first = tx.tryCallTool('pay'); // sends at 0 and at 1,500; the second fault opens the breaker
    await clock.advance(2_850); // half-open by now
    const probe = tx.tryCallTool('read');
    await clock.advance(1);
    expect(server.sends).toHaveLength(3);
    await clock.advance(200); // at 3,000 the first call may not send: the probe is out
    const other = tx.tryCallTool('read', {}, { retry: { maxAttempts: 1 } });
    await clock.advance(1);
    expect(server.sends).toHaveLength(3);
    await within(clock, 20_000, Promise.all([first, probe, other]));
  });
});
