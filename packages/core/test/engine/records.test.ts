import { describe, expect, it } from 'vitest';
import { memoryLedger } from '../../src/index.ts';
import { instance } from '../support/instance.ts';
import { answered } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('what a caller hears of records', () => {
  it('a key whose record has expired is refused, and not run again', async () => {
    const { tx, clock, server } = await instance([], { retentionMs: 1_000 });
    await tx.callTool('pay', {}, key);
    await clock.advance(1_500);
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({
      ok: false,
      error: { code: 'KEY_EXPIRED', execution: 'none' },
    });
    expect(server.sends).toHaveLength(1);
  });

  it('with fingerprints off a reused key is not noticed, and every result says so', async () => {
    const { tx } = await instance([], { tools: { pay: { fingerprint: 'off' } } });
    await tx.callTool('pay', { a: 1 }, key);
    const again = await tx.callTool('pay', { a: 2 }, key);
    expect(again.meta).toMatchObject({ duplicate: true, fingerprinted: false });
  });

  it('a result that is too long is kept as an error, the same for everybody', async () => {
    const long = { runs: true, ends: answered({ text: 'x'.repeat(2_000) }) };
    const { tx, server } = await instance([long], { limits: { maxResultLength: 1_000 } });
    for (let n = 0; n < 2; n += 1) {
      const outcome = await tx.tryCallTool('pay', {}, key);
      expect(outcome).toMatchObject({
        ok: false,
        error: { code: 'RESULT_UNUSABLE', execution: 'done', retryable: false },
      });
    }
    expect(server.effectCount).toBe(1);
  });

  it('a full ledger takes no claim, and nothing is sent', async () => {
    const { tx, server } = await instance([], { ledger: memoryLedger({ maxRecords: 1 }) });
    await tx.callTool('pay', {}, { idempotencyKey: 'one' });
    const outcome = await tx.tryCallTool('pay', {}, { idempotencyKey: 'two' });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'LEDGER_FULL', execution: 'none' } });
    expect(server.sends).toHaveLength(1);
  });

  it('a closed ledger likewise', async () => {
    const ledger = memoryLedger();
    const { tx, server } = await instance([], { ledger });
    await ledger.close();
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({
      ok: false,
      error: { code: 'LEDGER_CLOSED', execution: 'none' },
    });
    expect(server.sends).toHaveLength(0);
  });
});
