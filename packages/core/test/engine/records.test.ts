import { describe, expect, it } from 'vitest';
import { McpTxError, memoryLedger } from '../../src/index.ts';
import { instance } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { answered } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('what a caller hears of records', () => {
  it('a key whose record has expired is refused, and not run again', async () => {
    const { tx, clock, server } = await instance([], { retentionMs: 1_000 });
    await tx.callTool('pay', {}, key);
    await clock.advance(1_500);
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({
      ok: false,
      error: { code: 'KEY_EXPIRED', execution: 'unknown', retryable: false },
    });
    expect(server.sends).toHaveLength(1);
  });

  it('with fingerprints off a reused key is not noticed, and every result says so', async () => {
    const { tx } = await instance([], { tools: { pay: { fingerprint: 'off' } } });
    await tx.callTool('pay', { a: 1 }, key);
    const again = await tx.callTool('pay', { a: 2 }, key);
    expect(again.meta).toMatchObject({ duplicate: true, fingerprinted: false });
  });

  it('[T18] a result that is too long is kept as an error, the same for everybody', async () => {
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

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  it.each([
    ['a BigInt', { balance: 1n }],
    ['a cycle', cycle],
  ])(
    '[T18] a result with %s, which a connected client may hand over, is kept as an error, too',
    async (_what, result) => {
      const { tx, server } = await instance([{ runs: true, ends: answered(result) }]);
      for (let n = 0; n < 2; n += 1)
        expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({
          ok: false,
          error: { code: 'RESULT_UNUSABLE', execution: 'done' },
        });
      expect(server.effectCount).toBe(1);
    },
  );

  it('a full ledger takes no claim, and nothing is sent', async () => {
    const { tx, server } = await instance([], { ledger: memoryLedger({ maxRecords: 1 }) });
    await tx.callTool('pay', {}, { idempotencyKey: 'one' });
    for (const [options, execution] of [
      [{}, 'none'],
      [{ idempotencyKey: 'two' }, 'unknown'], // the claim was not answered: a key may have run before
    ] as const) {
      const outcome = await tx.tryCallTool('pay', {}, options);
      expect(outcome).toMatchObject({ ok: false, error: { code: 'LEDGER_FULL', execution } });
    }
    expect(server.sends).toHaveLength(1);
  });

  it('a closed ledger likewise', async () => {
    const ledger = memoryLedger();
    const { tx, server } = await instance([], { ledger });
    await ledger.close();
    expect(await tx.tryCallTool('pay')).toMatchObject({
      ok: false,
      error: { code: 'LEDGER_CLOSED', execution: 'none' },
    });
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({
      ok: false,
      error: { code: 'LEDGER_CLOSED', execution: 'unknown' },
    });
    expect(server.sends).toHaveLength(0);
  });

  it('a record that cannot be read fails the call with LEDGER_CORRUPT; nothing is sent, and nothing is said of the key', async () => {
    const base = await instance();
    const corrupt = overrideLedger(base.ledger, {
      claim: async () => {
        throw new McpTxError('LEDGER_CORRUPT', 'the record of op_x cannot be read');
      },
    });
    const { tx, server } = await instance([], { ledger: corrupt }, base);
    const error = { code: 'LEDGER_CORRUPT', execution: 'unknown', retryable: false };
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({ ok: false, error });
    expect(await tx.tryCallTool('pay')).toMatchObject({ ok: false, error: { ...error, execution: 'none' } });
    expect(server.sends).toHaveLength(0);
  });
});
