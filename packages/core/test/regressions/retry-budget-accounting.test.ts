// DESIGN 3.6: a retry budget per server, re-sends <= 10 % of sends. A replay sends nothing, so it pays nothing in; a re-send that does not
// take place takes nothing out.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const options = {
  tools: { pay: { idempotent: true } },
  breaker: false,
  retryBudget: { capacity: 1, ratio: 0.1 },
} as const;

it('[G:I13] replays of a stored answer buy no re-sends', async () => {
  const { tx, server, clock } = await instance([fates.answer, fates.reset], options);
  await tx.callTool('pay', {}, { idempotencyKey: 'k' });
  await within(clock, 1_100, tx.tryCallTool('pay')); // uses up the budget
  expect(server.sends).toHaveLength(3);
  for (let n = 0; n < 20; n += 1) await tx.callTool('pay', {}, { idempotencyKey: 'k' });
  server.fates.push(fates.reset);
  await within(clock, 1_100, tx.tryCallTool('pay'));
  expect(server.sends).toHaveLength(4);
});

it('a re-send that the deadline forbids costs nothing', async () => {
  const { tx, server, clock } = await instance([fates.reset, fates.reset], options);
  const long = { baseDelayMs: 5_000, maxDelayMs: 5_000 };
  await within(clock, 1_100, tx.tryCallTool('pay', {}, { retry: long }));
  expect(server.sends).toHaveLength(1);
  expect(await within(clock, 1_100, tx.tryCallTool('pay'))).toMatchObject({ ok: true });
});
