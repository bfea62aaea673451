/** Cases of `settle`: how an operation ends, and that it ends once. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Outcome } from '@mcp-tx/core/ledger';
import type { LedgerCase } from './fixture.ts';
import { benchOf, claimedIn, claimRequestOf, DONE, DOUBT, OTHER, REFUSED } from './requests.ts';

const UNUSABLE: Outcome = { state: 'completed', unusable: { code: 'RESULT_UNUSABLE', message: 'too large' } };
/** Says more than the result alone. */
const ONCE: Outcome = { state: 'completed', result: '{"content":[],"once":true}', exactlyOnce: true };
const TASK: Outcome = { state: 'in_doubt', reason: 'remote-task', taskId: 'task-1' };
const DETAILED: Outcome = {
  state: 'failed',
  error: {
    code: 'REJECTED',
    message: 'no',
    serverCode: -32601,
    serverStatus: 404,
    serverData: { deep: [1, null, 'é'] },
  },
};

export const settleCases: readonly LedgerCase[] = [
  {
    id: 'ledger:settle',
    title: 'every outcome is in the store when settle answers, frees the lease, and comes back as it was [G:I3]',
    needs: [],
    async run(fixture) {
      const { ledger, end, raw } = await benchOf(fixture);
      for (const [n, outcome] of [DONE, ONCE, UNUSABLE, REFUSED, DETAILED, DOUBT, TASK].entries()) {
        const request = claimRequestOf(`a ${n}`);
        await end(request, outcome);
        equal((await raw(request)).state, outcome.state);
        const record = await ledger.find(request.operationId);
        deepEqual(record?.outcome, outcome);
        ok(record?.endedAt !== undefined && record.endedAt >= record.createdAt);
        deepEqual([record.leaseUntil, record.attempts], [0, 1]);
      }
    },
  },
  {
    id: 'ledger:settle-twice',
    title: 'the same outcome twice is true twice; another one is refused and changes nothing [G:I2]',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      const outcomes = [DONE, OTHER, ONCE, UNUSABLE, REFUSED, DETAILED, DOUBT, TASK];
      for (const [n, outcome] of outcomes.entries()) {
        const request = claimRequestOf(`a ${n}`);
        const lease = await end(request, outcome);
        const before = await ledger.find(request.operationId);
        equal(await ledger.settle(lease, structuredClone(outcome)), true);
        for (const other of outcomes) if (other !== outcome) equal(await ledger.settle(lease, other), false);
        deepEqual(await ledger.find(request.operationId), before);
      }
    },
  },
  {
    id: 'ledger:settle-race',
    title: 'of two outcomes settled at once exactly one stands, and it is the one that was told true [G:I2]',
    needs: [],
    async run(fixture) {
      const { ledger, send } = await benchOf(fixture);
      for (let n = 0; n < 8; n += 1) {
        const { lease } = await send(claimRequestOf(`a ${n}`));
        const outcomes = n % 2 === 0 ? [DONE, OTHER] : [DOUBT, DONE];
        const told = await Promise.all(outcomes.map((outcome) => ledger.settle(lease, outcome)));
        deepEqual([...told].sort(), [false, true]);
        deepEqual((await ledger.find(lease.operationId))?.outcome, outcomes[told.indexOf(true)]);
      }
    },
  },
  {
    id: 'ledger:settle-from-claimed',
    title: 'what was never sent can fail, but neither complete nor be in doubt',
    needs: [],
    async run(fixture) {
      const { ledger, take, raw } = await benchOf(fixture);
      const { lease } = await take(claimRequestOf('a'));
      for (const outcome of [DONE, UNUSABLE, DOUBT]) equal(await ledger.settle(lease, outcome), false);
      equal((await raw(claimRequestOf('a'))).state, 'claimed');
      equal(await ledger.settle(lease, REFUSED), true);
      equal((await raw(claimRequestOf('a'))).state, 'failed');
    },
  },
  {
    id: 'ledger:settle-unknown',
    title: 'a lease of an operation that the store has never seen is lost',
    needs: [],
    async run(fixture) {
      const { ledger, take } = await benchOf(fixture);
      const { lease } = await take(claimRequestOf('a'));
      const { operationId } = claimRequestOf('never claimed');
      const { handle: _, ...bare } = lease;
      const foreign = { ...bare, operationId };
      equal(await ledger.markSent(foreign, 1), false);
      deepEqual(await ledger.renewAll([foreign]), [false]);
      equal(await ledger.release(foreign, { attempts: 0, hold: false }), false);
      equal(await ledger.settle(foreign, REFUSED), false);
      equal(await ledger.find(operationId), undefined);
    },
  },
  {
    id: 'ledger:settle-many',
    title: '64 operations settled at once get each its own outcome, though one among them has lost its lease',
    needs: [],
    async run(fixture) {
      const { ledger, send } = await benchOf(fixture);
      const names = Array.from({ length: 64 }, (_, n) => `op ${n}`);
      const claims = await Promise.all(names.map((name) => ledger.claim(claimRequestOf(name, { state: 'sent' }))));
      const leases = claims.map((claim) => claimedIn(claim).lease);
      const lost = await send(claimRequestOf('lost'));
      await ledger.release(lost.lease, { attempts: 0, hold: false });
      const resultOf = (n: number): Outcome => ({ state: 'completed', result: `{"n":${n}}` });
      const told = await Promise.all([
        ledger.settle(lost.lease, DONE),
        ...leases.map((lease, n) => ledger.settle(lease, resultOf(n))),
      ]);
      deepEqual(told, [false, ...Array<boolean>(64).fill(true)]);
      for (const [n, lease] of leases.entries())
        deepEqual((await ledger.find(lease.operationId))?.outcome, resultOf(n));
    },
  },
];
