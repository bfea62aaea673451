// DESIGN 5.2/3.1: what is sent is what was asked for. While the list of tools is read the plan is not made yet, so a caller who
// reuses one object in a loop still has the last value sent under every key: on first use, and after each change of the list.
import { expect, it } from 'vitest';
import { instance } from '../support/instance.ts';

it('sends the arguments as they were when callTool was called, also when the list of tools has to be read first', async () => {
  const { tx, server } = await instance();
  server.onToolsChanged();
  const args = { amount: 0 };
  const calls = [1, 2, 3].map((amount) => {
    args.amount = amount;
    return tx.callTool('pay', args, { idempotencyKey: `order:${amount}` });
  });
  await Promise.all(calls);
  expect(server.sends.map((send) => send.arguments['amount']).sort()).toEqual([1, 2, 3]);
});
