// DESIGN 3.7 "the record keeps mode, maxAttempts and deadline": a stored call that asked for at-most-once is resumed with the mode
// of today's rule, and so sent again after an unknown end (I1).
import { expect, it } from 'vitest';
import { crashed, instance } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

it('[G:I1] a resumed call keeps the delivery mode that its caller asked for', async () => {
  const rule = { tools: { pay: { idempotent: true } }, storeArguments: true };
  const retry = { baseDelayMs: 600_000, maxDelayMs: 600_000, jitter: 'none' } as const;
  const dead = await crashed(
    [fates.refused],
    (tx) => tx.callTool('pay', {}, { idempotencyKey: 'k', delivery: 'at-most-once', timeoutMs: 900_000 }),
    { ...rule, retry },
  );
  const [record] = (await dead.ledger.list({})).records;
  expect(record).toMatchObject({ state: 'claimed', mode: 'at-most-once' });
  const { tx, clock, server } = await instance([fates.resetAfterEffect], rule, dead);
  await clock.advance(3_100);
  const sweeping = tx.sweep();
  await clock.advance(1_000);
  await sweeping;
  expect(server.effectCount).toBe(1);
});
