// The answer to a send came while its repeat waited for the ledger to be marked. It was sent again, or not heard at all.
import { expect, it } from 'vitest';
import { sleep } from '../../src/runtime/clock.ts';
import type { Instance } from '../support/instance.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { slowly } from '../support/scripted-connection.ts';

const TOOLS = { pay: { idempotent: true, attemptTimeoutMs: 50 } };

/** A send that is answered after 100 ms, and a ledger that takes `outageMs` for the mark of the next one. */
async function slowMark(outageMs: number): Promise<Instance> {
  const world = await instance();
  const ledger = overrideLedger(world.ledger, {
    markSent: async (lease, attempt) => {
      await sleep(world.clock, outageMs);
      return world.ledger.markSent(lease, attempt);
    },
  });
  return instance([slowly(100)], { ledger, tools: TOOLS, retry: { baseDelayMs: 1, jitter: 'none' } }, world);
}

it('an answer that came in the meantime is taken, and nothing is sent again', async () => {
  const { tx, server, clock } = await slowMark(300);
  const told = await within(clock, 1_000, tx.callTool('pay', {}, { idempotencyKey: 'k', timeoutMs: 900 }));
  expect(told.meta).toMatchObject({ attempts: 1, recorded: true });
  expect(server.sends).toHaveLength(1);
});

it('[G:I3] it is recorded also when the deadline and the grace have passed by then', async () => {
  const { tx, server, clock, ledger } = await slowMark(5_000);
  const told = await within(clock, 1_000, tx.tryCallTool('pay', {}, { idempotencyKey: 'k', timeoutMs: 200 }));
  expect(told).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  await clock.advance(6_000);
  expect(server.sends).toHaveLength(1);
  expect((await ledger.list({})).records).toMatchObject([{ state: 'completed' }]);
});
