// DESIGN 2 ("duplicate: stored result replayed"): a caller who joined an operation that was being given back, and for whom it was then
// driven anew, is told that its answer is a duplicate though it is the only one.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

it('the caller for whom the operation was driven anew is not told of a duplicate', async () => {
  const key = { idempotencyKey: 'order:42' };
  const { tx, clock } = await instance([fates.refused]);
  const abort = new AbortController();
  const first = tx.tryCallTool('pay', {}, { ...key, signal: abort.signal });
  await clock.advance(5);
  abort.abort();
  const second = tx.tryCallTool('pay', {}, key);
  await within(clock, 1, first);
  expect(await within(clock, 900, second)).toMatchObject({ ok: true, meta: { duplicate: false } });
});
