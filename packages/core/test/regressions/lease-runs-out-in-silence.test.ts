// An owner whose lease had run out, and who had not been told so yet, said that nothing was executed while another one ran it.
import { expect, it } from 'vitest';
import { instance } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

it('[G:I8] whoever may have been overtaken does not say that nothing was executed', async () => {
  const short = { leaseMs: 100, renewLeases: false, retry: { baseDelayMs: 300, jitter: 'none' } } as const;
  const one = await instance([fates.refused, fates.lostAnswer], short);
  const other = await instance([], {}, one);
  const abort = new AbortController();
  const pay = { idempotencyKey: 'k' };
  const told = one.tx.tryCallTool('pay', {}, { ...pay, signal: abort.signal });
  await one.clock.advance(150);
  const overtaking = other.tx.tryCallTool('pay', {}, pay);
  await one.clock.settle();
  expect(one.server.effectCount).toBe(1);
  abort.abort();
  expect(await told).toMatchObject({ ok: false, error: { execution: 'unknown' } });
  await one.clock.advance(3_000);
  await overtaking;
});
