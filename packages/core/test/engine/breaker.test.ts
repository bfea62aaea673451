// DESIGN 3.6: the breaker is a gate before the claim; half-open it "admits k probes and refuses the rest at once".
import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const once = { retry: { maxAttempts: 1 } };
const breaker = { failureThreshold: 1, openMs: 1_000, halfOpenProbes: 2 };

/** An instance whose breaker is half-open, after one call that found the server gone. */
async function halfOpen(...[script, options = {}, shared]: Parameters<typeof instance>) {
  const i = await instance([fates.reset, ...(script ?? [])], { breaker, ...options }, shared);
  await within(i.clock, 50, i.tx.tryCallTool('pay'));
  await i.clock.advance(1_300);
  expect((await i.tx.health()).breaker).toBe('half-open');
  return i;
}

describe('the half-open breaker', () => {
  it('admits k calls of those that come in the same tick, and refuses the rest at once and without a record', async () => {
    const { tx, server, clock, ledger } = await halfOpen([slowly(20), slowly(20)]);
    const before = clock.monotonic();
    const calls = Array.from({ length: 6 }, () => tx.tryCallTool('pay', {}, once));
    const refused = { ok: false, error: { code: 'BREAKER_OPEN', execution: 'none', retryable: true } };
    expect(await within(clock, 1, Promise.all(calls.slice(2)))).toMatchObject(Array(4).fill(refused));
    expect(clock.monotonic() - before).toBeLessThanOrEqual(1);
    expect((await ledger.list({})).records).toHaveLength(1 + 2);
    expect(await within(clock, 100, Promise.all(calls.slice(0, 2)))).toMatchObject([{ ok: true }, { ok: true }]);
    expect(server.sends).toHaveLength(1 + 2);
    expect((await tx.health()).breaker).toBe('closed');
  });

  it('gets its place back from a call that is answered from the ledger and sends nothing', async () => {
    const keyed = { idempotencyKey: 'order:42' };
    const base = await instance();
    await base.tx.callTool('pay', {}, keyed);
    const { tx, clock } = await halfOpen([], { breaker: { ...breaker, halfOpenProbes: 1 } }, base);
    for (let n = 0; n < 3; n += 1) {
      expect(await within(clock, 10, tx.tryCallTool('pay', {}, keyed))).toMatchObject({ meta: { duplicate: true } });
    }
    expect(await within(clock, 50, tx.tryCallTool('pay', {}, once))).toMatchObject({ ok: true });
  });

  it('gets its place back from a call that waits for another process, or for a ledger that is silent', async () => {
    const one = await instance([slowly(5_000)], { timeoutMs: 9_000 });
    const first = one.tx.tryCallTool('pay', {}, { idempotencyKey: 'busy' });
    await one.clock.settle();
    let isSilent = false;
    const ledger = overrideLedger(one.ledger, {
      claim: (...all: Parameters<Ledger['claim']>) =>
        isSilent ? new Promise(() => undefined) : one.ledger.claim(...all),
    });
    const { tx, clock } = await halfOpen([], { ledger, breaker: { ...breaker, halfOpenProbes: 1 } }, one);
    const waiting = tx.tryCallTool('pay', {}, { idempotencyKey: 'busy' });
    await clock.settle();
    isSilent = true;
    await within(clock, 300, tx.tryCallTool('pay', {}, { timeoutMs: 200 }));
    isSilent = false;
    expect(await within(clock, 50, tx.tryCallTool('pay', {}, once))).toMatchObject({ ok: true });
    await within(clock, 9_000, Promise.all([first, waiting]));
  });
});
