// DESIGN 3.2: "No byte leaves less than safetyMarginMs before the lease ends." DESIGN 3.5: hosts without background time.
import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger.ts';
import { crashed, instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('safetyMarginMs', () => {
  it.each([
    [100, 1],
    [101, 0],
  ])('a claim that took %i of 1,000 ms with a margin of 900 ms allows %i sends', async (tookMs, sends) => {
    const base = await instance();
    let claims = 0;
    const slow = overrideLedger(base.ledger, {
      claim: async (...all: Parameters<Ledger['claim']>) => {
        claims += 1;
        const claim = await base.ledger.claim(...all);
        await new Promise<void>((resolve) => base.clock.timer(tookMs, resolve));
        return claim;
      },
    });
    const options = { ledger: slow, leaseMs: 1_000, safetyMarginMs: 900, renewLeases: false, timeoutMs: 150 };
    const { tx, server, clock } = await instance([], options, base);
    const outcome = await within(clock, 300, tx.tryCallTool('pay', {}, key));
    expect(outcome.ok).toBe(sends === 1);
    expect(server.sends).toHaveLength(sends);
    expect(claims).toBe(2 - sends);
  });

  it('holds for every send: none is made again so close to the end of a lease that is not renewed', async () => {
    const options = { leaseMs: 1_000, safetyMarginMs: 900, renewLeases: false, tools: { pay: { idempotent: true } } };
    const lost = { afterMs: 95, ends: { lost: true } };
    const { tx, server, clock } = await instance([lost, fates.answer], options);
    await within(clock, 1_100, tx.tryCallTool('pay', {}, key)); // 95 + 10 ms of backoff: but the mark renews the lease
    expect(server.sends).toHaveLength(2);
  });
});

describe('a host that freezes between requests: renewLeases false, settleGraceMs 0', () => {
  const lambda = { renewLeases: false, settleGraceMs: 0, leaseMs: 1_500, timeoutMs: 1_000, sweepIntervalMs: 0 };

  it('settles at the deadline and leaves nothing to do in the background', async () => {
    const { tx, clock, ledger } = await instance([fates.lostAnswer], lambda);
    const outcome = await within(clock, 1_001, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'timeout' } });
    await clock.settle();
    expect((await ledger.list({})).records[0]?.state).toBe('in_doubt');
    expect((await tx.health()).operations).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('needs no renewal: the lease covers the call, so nobody takes it over meanwhile', async () => {
    let renewals = 0;
    const base = await instance();
    const counting = overrideLedger(base.ledger, {
      renewAll: async (leases) => {
        renewals += 1;
        return base.ledger.renewAll(leases);
      },
    });
    const one = await instance([slowly(900)], { ...lambda, ledger: counting }, base);
    const first = one.tx.tryCallTool('pay', {}, key);
    const two = await instance([], lambda, base);
    await one.clock.advance(500);
    const second = two.tx.tryCallTool('pay', {}, key);
    expect(await within(one.clock, 1_000, Promise.all([first, second]))).toMatchObject([{ ok: true }, { ok: true }]);
    expect([renewals, one.server.effectCount]).toEqual([0, 1]);
  });

  it('that was frozen for good leaves its operation to the next who asks, after the lease', async () => {
    const dead = await crashed([fates.lostAnswer], (tx) => tx.callTool('pay', {}, key), lambda);
    const { tx, clock } = await instance([], { ...lambda, timeoutMs: 2_000 }, dead);
    const outcome = await within(clock, 2_100, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'owner-lost' } });
    expect(dead.server.effectCount).toBe(1);
  });
});
