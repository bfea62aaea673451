// A claim was answered so late that its lease was over: claimed again, its own mark counted as a send, and no send was left to
// it. It claimed for ever, without a pause.
import { expect, it } from 'vitest';
import { sleep } from '../../src/runtime/clock.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';

it('an answer of the ledger that comes after the lease costs no attempt', async () => {
  const world = await instance();
  const claims: number[] = [];
  const ledger = overrideLedger(world.ledger, {
    claim: async (request) => {
      claims.push(world.clock.monotonic());
      if (claims.length > 10) throw new Error('claims in a circle');
      if (claims.length === 1) await sleep(world.clock, 400);
      world.server.idle = true; // it has to be probed before the next send, so the next claim is no mark
      return world.ledger.claim(request);
    },
  });
  const { tx, server, clock } = await instance([], { ledger, leaseMs: 300, retry: { maxAttempts: 1 } }, world);
  const told = await within(clock, 1_000, tx.callTool('pay', {}, { idempotencyKey: 'k' }));
  expect(told.meta).toMatchObject({ attempts: 1, recorded: true });
  expect([server.sends.length, claims.length]).toEqual([1, 2]);
});
