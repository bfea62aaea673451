// A caller joined an operation that was being given back. Another process ran it meanwhile, and the caller was told that
// nothing had been executed.
import { expect, it } from 'vitest';
import { sleep } from '../../src/runtime/clock.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates } from '../support/scripted-connection.ts';

it('[G:I8] whoever comes after it was given up learns what became of it since', async () => {
  const world = await instance();
  const ledger = overrideLedger(world.ledger, {
    release: async (lease, released) => {
      const done = await world.ledger.release(lease, released);
      await sleep(world.clock, 500); // the ledger has done it, and says so late
      return done;
    },
  });
  const one = await instance([fates.refused], { ledger, retry: { maxAttempts: 1 } }, world);
  const pay = { idempotencyKey: 'k' };
  const first = one.tx.tryCallTool('pay', {}, pay);
  await world.clock.advance(100);
  expect(await within(world.clock, 100, world.tx.callTool('pay', {}, pay))).toMatchObject({ meta: { attempts: 1 } });
  const joiner = one.tx.callTool('pay', {}, pay);
  expect((await within(world.clock, 900, joiner)).meta).toMatchObject({ duplicate: true, execution: 'done' });
  expect(await first).toMatchObject({ ok: false, error: { code: 'CONNECTION_FAILED' } });
  expect(world.server.effectCount).toBe(1);
});

it('[G:I8] and when there is no time to learn it, that it is unknown', async () => {
  const world = await instance();
  const ledger = overrideLedger(world.ledger, {
    release: async (lease, released) => {
      const done = await world.ledger.release(lease, released);
      await sleep(world.clock, 500);
      return done;
    },
  });
  const one = await instance([fates.refused], { ledger, retry: { maxAttempts: 1 } }, world);
  const pay = { idempotencyKey: 'k' };
  const first = one.tx.tryCallTool('pay', {}, pay);
  await world.clock.advance(100);
  await within(world.clock, 100, world.tx.callTool('pay', {}, pay));
  const joiner = await within(world.clock, 200, one.tx.tryCallTool('pay', {}, { ...pay, timeoutMs: 150 }));
  expect(joiner).toMatchObject({ ok: false, error: { code: 'DEADLINE_EXCEEDED', execution: 'unknown' } });
  await within(world.clock, 900, first);
});
