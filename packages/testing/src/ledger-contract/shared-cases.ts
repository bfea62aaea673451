/** Cases of two or more processes on one store. They run on the machine's clock, in processes of their own. */
import { deepEqual, equal, fail, ok } from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { LedgerCase, LedgerFixture } from './fixture.ts';
import { claimedIn, claimRequestOf, DONE, OTHER } from './requests.ts';
import type { WorkerProcess } from './worker-process.ts';
import { startWorker } from './worker-process.ts';

/** Long enough that a slow machine does not lose it by accident. */
const LEASE_MS = 1_500;

async function withWorkers(
  fixture: LedgerFixture,
  count: number,
  act: (workers: readonly [WorkerProcess, WorkerProcess, ...WorkerProcess[]]) => Promise<void>,
): Promise<void> {
  const worker = fixture.worker ?? fail('this case needs a worker');
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker(worker)));
  try {
    await act(workers as unknown as readonly [WorkerProcess, WorkerProcess]);
  } finally {
    await Promise.all(workers.map((one) => one.kill()));
  }
}

export const sharedCases: readonly LedgerCase[] = [
  {
    // T12
    id: 'ledger:shared-race',
    title: 'of 4 processes with 20 claims each of one operation, exactly one claim gets the lease [G:I11]',
    needs: ['shared'],
    async run(fixture) {
      await withWorkers(fixture, 4, async (workers) => {
        for (let round = 0; round < 3; round += 1) {
          const name = `round ${round}`;
          const startAt = Date.now() + 100;
          const claims = await Promise.all(
            workers.map((worker) =>
              worker.race(
                Array.from({ length: 20 }, () => claimRequestOf(name, { state: 'sent' })),
                startAt,
              ),
            ),
          );
          deepEqual(
            claims
              .flat()
              .map((claim) => claim.kind)
              .sort(),
            [...Array<string>(79).fill('busy'), 'claimed'],
          );
          equal((await fixture.rawRecord(claimRequestOf(name).operationId))?.attempts, 1);
        }
      });
    },
  },
  {
    id: 'ledger:shared-different',
    title: '4 processes that claim different operations at once all get their leases',
    needs: ['shared'],
    async run(fixture) {
      await withWorkers(fixture, 4, async (workers) => {
        const startAt = Date.now() + 100;
        const claims = await Promise.all(
          workers.map((worker, w) =>
            worker.race(
              Array.from({ length: 20 }, (_, n) => claimRequestOf(`op ${w} ${n}`)),
              startAt,
            ),
          ),
        );
        equal(claims.flat().map(claimedIn).length, 80);
      });
    },
  },
  {
    id: 'ledger:shared-replay',
    title:
      'what one process settles another replays, the same to the byte; keys conflict across processes [G:I2] [G:I7]',
    needs: ['shared'],
    async run(fixture) {
      await withWorkers(fixture, 2, async ([one, two]) => {
        const request = claimRequestOf('a', { state: 'sent' });
        claimedIn(await one.claim(request));
        equal((await two.claim(claimRequestOf('a'))).kind, 'busy');
        equal(await one.settle(request.operationId, DONE), true);
        const claim = await two.claim(claimRequestOf('a'));
        ok(claim.kind === 'replay');
        deepEqual(claim.record.outcome, DONE);
        deepEqual(await two.claim(claimRequestOf('a', { tool: 'refund', fingerprint: 'other' })), { kind: 'conflict' });
      });
    },
  },
  {
    // T14
    id: 'ledger:shared-crash',
    title:
      'the operation of a killed process stays busy until its lease ends; then another process takes it over [G:I10]',
    needs: ['shared'],
    async run(fixture) {
      await withWorkers(fixture, 2, async ([one, two]) => {
        const first = claimedIn(await one.claim(claimRequestOf('a', { state: 'sent', leaseMs: LEASE_MS })));
        await one.kill();
        const busy = await two.claim(claimRequestOf('a'));
        ok(busy.kind === 'busy' && busy.leaseLeftMs > 0 && busy.leaseLeftMs <= LEASE_MS);
        deepEqual(await two.sweep(10), []);
        await wait(LEASE_MS + 100);
        const second = claimedIn(await two.claim(claimRequestOf('a', { state: 'sent' })));
        ok(second.lease.fence > first.lease.fence);
        deepEqual([second.takenOver?.state, second.attempts], ['sent', 1]);
      });
    },
  },
  {
    // T15
    id: 'ledger:shared-stale-owner',
    title: 'a process that slept through its lease cannot write over the one that took over [G:I4]',
    needs: ['shared'],
    async run(fixture) {
      await withWorkers(fixture, 2, async ([one, two]) => {
        const { operationId } = claimRequestOf('a');
        claimedIn(await one.claim(claimRequestOf('a', { leaseMs: LEASE_MS })));
        await wait(LEASE_MS + 100);
        claimedIn(await two.claim(claimRequestOf('a')));
        equal(await one.markSent(operationId, 1), false);
        equal(await two.markSent(operationId, 1), true);
        equal(await one.settle(operationId, OTHER), false);
        equal(await two.settle(operationId, DONE), true);
        equal(await one.settle(operationId, DONE), false);
        equal((await fixture.rawRecord(operationId))?.result, DONE.state === 'completed' ? DONE.result : '');
      });
    },
  },
];
