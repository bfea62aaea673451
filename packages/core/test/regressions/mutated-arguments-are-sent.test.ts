// DESIGN 5.2 (the plan is frozen), 3.1 and I7: what is sent must be what was fingerprinted. The plan keeps the caller's own object and
// reads it again after the claim, so a caller who reuses one object in a loop has the last value sent under every key.
import { expect, it } from 'vitest';
import { instance } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

it('[G:I7] sends the arguments as they were when callTool was called', async () => {
  const { tx, server } = await instance();
  const args = { amount: 0 };
  const calls = [1, 2, 3].map((amount) => {
    args.amount = amount;
    return tx.callTool('pay', args, { idempotencyKey: `order:${amount}` });
  });
  await Promise.all(calls);
  expect(server.sends.map((send) => send.arguments['amount'])).toEqual([1, 2, 3]);
});

it('[G:I7] sends the same arguments again in a later attempt', async () => {
  const { tx, server, clock } = await instance([fates.refused]);
  const args = { nested: { amount: 1 } };
  const call = tx.callTool('pay', args, { idempotencyKey: 'order:1' });
  await clock.settle();
  const before = JSON.stringify(server.sends[0]?.arguments);
  args.nested.amount = 2;
  await clock.advance(50);
  await call;
  expect(JSON.stringify(server.sends[1]?.arguments)).toBe(before);
});
