// DESIGN 3.6: same key in flight: one driver; it lives to the latest deadline of its joiners; I7: another tool is a conflict.
import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('a caller with the key of an operation under way', () => {
  it('[G:I7] gets a conflict for another tool, also where fingerprints are off', async () => {
    const { tx, clock } = await instance([slowly(50)], { tools: { pay: { fingerprint: 'off' } } });
    const first = tx.tryCallTool('pay', {}, key);
    await clock.settle();
    const second = await within(clock, 100, tx.tryCallTool('read', {}, key));
    expect(second).toMatchObject({ ok: false, error: { code: 'KEY_CONFLICT' } });
    await within(clock, 100, first);
  });

  it('[G:I7] gets no stored result of another tool when a gate refuses it', async () => {
    const { tx, clock, server } = await instance([], {
      tools: { pay: { fingerprint: 'off' }, read: { fingerprint: 'off' } },
      limits: { maxInFlight: 1, maxQueued: 0 },
    });
    await tx.callTool('pay', {}, key);
    server.fates.push(slowly(100));
    const slow = tx.tryCallTool('pay');
    await clock.settle();
    expect(await within(clock, 10, tx.tryCallTool('read', {}, key))).toMatchObject({ ok: false });
    await within(clock, 200, slow);
  });

  it('is not told of another caller’s abort: the operation is driven anew for it', async () => {
    const { tx, clock, server } = await instance([fates.refused]);
    const abort = new AbortController();
    const first = tx.tryCallTool('pay', {}, { ...key, signal: abort.signal });
    await clock.advance(5); // waits for its second send
    abort.abort();
    const second = tx.tryCallTool('pay', {}, key);
    expect(await within(clock, 1, first)).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
    expect(await within(clock, 900, second)).toMatchObject({ ok: true });
    expect(server.effectCount).toBe(1);
  });

  it('may repeat at once what was reported retryable, while the key is being given back', async () => {
    const base = await instance();
    const slowRelease = overrideLedger(base.ledger, {
      release: async (...all: Parameters<Ledger['release']>) => {
        await new Promise<void>((resolve) => base.clock.timer(20, resolve));
        return base.ledger.release(...all);
      },
    });
    const { tx, clock } = await instance([fates.refused, fates.refused, fates.refused], { ledger: slowRelease }, base);
    const first = await within(clock, 400, tx.tryCallTool('pay', {}, { ...key, timeoutMs: 45 }));
    expect(first).toMatchObject({ ok: false, error: { retryable: true, execution: 'none' } });
    expect(await within(clock, 900, tx.tryCallTool('pay', {}, key))).toMatchObject({ ok: true });
  });

  it('has a tool that may be sent again sent again, although the first caller has gone', async () => {
    const { tx, clock, server } = await instance([fates.lostRequest], {
      tools: { pay: { idempotent: true } },
      settleGraceMs: 60_000,
    });
    await within(clock, 200, tx.tryCallTool('pay', {}, { ...key, timeoutMs: 100, attemptTimeoutMs: 100 }));
    const second = await within(clock, 10_000, tx.tryCallTool('pay', {}, { ...key, timeoutMs: 8_000 }));
    expect(second).toMatchObject({ ok: true });
    expect(server.effectCount).toBe(1);
  });
});
