// DESIGN 3.6: a caller who joined after all others had left, and could not be driven anew because of close(), was told ABORTED
// although it had aborted nothing.
import { expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates } from '../support/scripted-connection.ts';

it('a caller who stays hears CLOSED from an instance that closes, not of another caller’s abort', async () => {
  const base = await instance();
  const slowRelease = overrideLedger(base.ledger, {
    release: async (...all: Parameters<Ledger['release']>) => {
      await new Promise<void>((resolve) => base.clock.timer(20, resolve));
      return base.ledger.release(...all);
    },
  });
  const { tx, clock } = await instance([fates.refused], { ledger: slowRelease }, base);
  const abort = new AbortController();
  const first = tx.tryCallTool('pay', {}, { idempotencyKey: 'k', signal: abort.signal });
  await clock.advance(25); // waits for its second send
  abort.abort();
  const second = tx.tryCallTool('pay', {}, { idempotencyKey: 'k' });
  const closing = tx.close({ graceMs: 1_000 });
  expect(await within(clock, 1, first)).toMatchObject({ error: { code: 'ABORTED' } });
  expect(await within(clock, 100, second)).toMatchObject({ error: { code: 'CLOSED', execution: 'none' } });
  await within(clock, 3_000, closing);
});
