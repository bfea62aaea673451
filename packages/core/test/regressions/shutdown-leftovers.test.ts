// DESIGN 3.2: "when retries, deadline or shutdown end with nothing executed the caller gets retryable: true, execution: 'none'"; I12.
import { describe, expect, it } from 'vitest';
import { McpTxError } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

describe('close()', () => {
  it('tells a caller whose call waits for its next send that repeating makes sense', async () => {
    const { tx, clock } = await instance([fates.refused], { retry: { baseDelayMs: 500, jitter: 'none' } });
    const waiting = tx.tryCallTool('pay', {}, { idempotencyKey: 'k' });
    await clock.advance(5);
    const closing = tx.close({ graceMs: 0 });
    expect(await within(clock, 10, waiting)).toMatchObject({
      ok: false,
      error: { code: 'CLOSED', execution: 'none', retryable: true },
    });
    await within(clock, 3_000, closing);
  });

  it('[G:I12] leaves no timer behind when the ledger is away', async () => {
    const base = await instance();
    const down = overrideLedger(base.ledger, {
      settle: () => Promise.reject(new McpTxError('LEDGER_UNAVAILABLE', 'down')),
    });
    const { tx, clock } = await instance([slowly(10)], { ledger: down }, base);
    const call = tx.tryCallTool('pay', {}, { idempotencyKey: 'k' });
    await clock.advance(50);
    await within(clock, 4_000, tx.close({ graceMs: 10 }));
    expect(await call).toMatchObject({ ok: true, meta: { recorded: false } });
    await clock.advance(10_000);
    expect(clock.pending).toBe(0);
  });
});
