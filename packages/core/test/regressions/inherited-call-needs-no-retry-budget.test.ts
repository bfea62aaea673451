// A worker that is started after a crash finds calls that its predecessor had under way. Each may be sent again, and its budget for
// re-sends was spent on the first few of them: the others were put in doubt, though they were declared safe to repeat.
import { expect, it } from 'vitest';
import { crashed, instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const options = {
  tools: { pay: { idempotent: true } },
  breaker: false,
  retryBudget: { capacity: 1, ratio: 0.1 },
  timeoutMs: 10_000,
} as const;
const KEYS = Array.from({ length: 8 }, (_, n) => ({ idempotencyKey: `order:${n}` }));

it('the first send of a new owner takes nothing out of its retry budget; its own re-sends do', async () => {
  const lost = KEYS.map(() => fates.lostRequest);
  const dead = await crashed(lost, (tx) => Promise.all(KEYS.map((key) => tx.tryCallTool('pay', {}, key))), options);
  expect(dead.server.sends).toHaveLength(KEYS.length);
  const { tx, clock, server } = await instance([], options, dead);
  await clock.advance(4_000); // their leases end
  const ends = await within(clock, 5_000, Promise.all(KEYS.map((key) => tx.tryCallTool('pay', {}, key))));
  expect(ends.filter(({ ok }) => ok)).toHaveLength(KEYS.length);
  expect(server.sends).toHaveLength(2 * KEYS.length);

  server.fates.push(fates.reset, fates.reset, fates.reset, fates.reset);
  const [one, two] = [tx.tryCallTool('pay', { n: 1 }), tx.tryCallTool('pay', { n: 2 })];
  await within(clock, 10_000, Promise.all([one, two]));
  expect(server.sends.length - 2 * KEYS.length).toBe(3); // two first sends, and the one re-send that the budget has
});
