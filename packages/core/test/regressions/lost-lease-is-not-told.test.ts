// DESIGN 3.2/3.5 (every loss of a lease is an event, logged): a loss that the renewal finds out is never told.
import { expect, it } from 'vitest';
import { McpTxError } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

it('[G:I4] tells of a lease that another owner took, also when the renewal is what notices', async () => {
  const options = { tools: { pay: { idempotent: true } }, leaseMs: 300, safetyMarginMs: 50, timeoutMs: 3_000 };
  const base = await instance();
  let isAway = true;
  const flaky = overrideLedger(base.ledger, {
    renewAll: async (leases) => {
      if (isAway) throw new McpTxError('LEDGER_UNAVAILABLE', 'down');
      return base.ledger.renewAll(leases);
    },
  });
  const one = await instance([slowly(1_200)], { ...options, ledger: flaky }, base);
  const lost: unknown[] = [];
  one.tx.on('lease.lost', (event) => lost.push(event));
  const first = one.tx.tryCallTool('pay', {}, { idempotencyKey: 'k', attemptTimeoutMs: 2_000 });
  await one.clock.advance(350);
  const two = await instance([fates.answer], options, base);
  await within(one.clock, 200, two.tx.tryCallTool('pay', {}, { idempotencyKey: 'k' }));
  isAway = false;
  await within(one.clock, 3_000, first);
  expect(lost).toHaveLength(1);
});
