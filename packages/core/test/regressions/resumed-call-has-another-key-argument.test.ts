// DESIGN 3.1/3.3 (I1): an effectively-once call is sent again with the SAME id until terminal. A sweep that resumes a stored call
// fills the tool's key argument with a fresh random operation id, so the tool cannot recognise the repeat and runs it twice.
import { expect, it } from 'vitest';
import { crashed, instance } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

it('[G:I1] a resumed call carries its own operation id in the key argument', async () => {
  const options = { storeArguments: true, tools: { pay: { idempotencyArgument: '/idempotency_key' } } };
  const dead = await crashed(
    [fates.lostAnswer],
    (tx) => tx.callTool('pay', { a: 1 }, { idempotencyKey: 'order:42', timeoutMs: 900_000 }),
    options,
  );
  const { tx, clock, server } = await instance([], options, dead);
  await clock.advance(3_100);
  const sweeping = tx.sweep();
  await clock.advance(1_000);
  expect((await sweeping).run).toBe(1);
  expect(server.sends).toHaveLength(2);
  const [first, second] = server.sends.map((send) => send.arguments['idempotency_key']);
  expect(first).toBe(server.sends[0]?.identity.operationId);
  expect(second).toBe(first);
});
