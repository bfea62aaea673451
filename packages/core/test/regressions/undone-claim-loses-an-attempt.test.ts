// DESIGN 3.2 and I6: attempts count on across processes. A claim that is undone after an outage subtracts a send that it never added
// when it turned out to be a take-over of a `claimed` record.
import { expect, it } from 'vitest';
import { McpTxError } from '../../src/index.ts';
import type { Ledger } from '../../src/ledger.ts';
import { crashed, instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates } from '../support/scripted-connection.ts';

it('[G:I6] an undone take-over leaves the number of attempts alone', async () => {
  const key = { idempotencyKey: 'order:42' };
  const retry = { baseDelayMs: 600_000, maxDelayMs: 600_000, jitter: 'none' } as const;
  const dead = await crashed([fates.refused], (tx) => tx.callTool('pay', {}, { ...key, timeoutMs: 900_000 }), {
    retry,
  });
  let claims = 0;
  const flaky = overrideLedger(dead.ledger, {
    claim: async (...all: Parameters<Ledger['claim']>) => {
      claims += 1;
      if (claims <= 3) throw new McpTxError('LEDGER_UNAVAILABLE', 'down');
      return dead.ledger.claim(...all);
    },
  });
  const { tx, clock } = await instance([], { ledger: flaky }, dead);
  await clock.advance(4_000);
  await within(clock, 1_000, tx.tryCallTool('pay', {}, key));
  await clock.advance(10_000);
  expect((await dead.ledger.list({})).records[0]?.attempts).toBe(0);
});
