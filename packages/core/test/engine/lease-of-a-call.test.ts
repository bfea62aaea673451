import { expect, it } from 'vitest';
import { instance } from '../support/instance.ts';

it('where nothing renews leases, that of a call lasts as long as its deadline, and a margin', async () => {
  const { tx, ledger, clock } = await instance([{ runs: true }], { renewLeases: false, leaseMs: undefined as never });
  const calling = tx.tryCallTool('pay', {}, { idempotencyKey: 'k', timeoutMs: 700 });
  await clock.settle();
  const [record] = (await ledger.list({})).records;
  expect((record?.leaseUntil ?? 0) - clock.now()).toBe(700 + 1_500); // a tenth of the default lease
  await clock.advance(2_000);
  await calling;
});
