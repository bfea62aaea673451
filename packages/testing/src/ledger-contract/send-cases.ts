/** Cases of `markSent`, `renewAll` and `release`: what the owner of a lease may do before the end. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { LedgerCase } from './fixture.ts';
import { benchOf, claimRequestOf, DONE, DOUBT, REFUSED, SHORT_MS } from './requests.ts';

export const sendCases: readonly LedgerCase[] = [
  {
    id: 'ledger:mark-sent',
    title: 'a marked send is in the store when the promise resolves; the same number again is one send',
    needs: [],
    async run(fixture) {
      const { ledger, take, raw } = await benchOf(fixture);
      const request = claimRequestOf('a');
      const { lease } = await take(request);
      for (let n = 0; n < 3; n += 1) {
        equal(await ledger.markSent(lease, 1), true);
        const { state, attempts } = await raw(request);
        deepEqual({ state, attempts }, { state: 'sent', attempts: 1 });
      }
      ok((await ledger.find(request.operationId))?.sentAt !== undefined);
    },
  },
  {
    id: 'ledger:mark-sent-monotone',
    title: 'a lower number, and one over the limit, are refused and change nothing [G:I6]',
    needs: [],
    async run(fixture) {
      const { ledger, send, raw } = await benchOf(fixture);
      const request = claimRequestOf('a', { maxAttempts: 3 });
      const { lease, attemptLimit } = await send(request);
      equal(attemptLimit, 3);
      equal(await ledger.markSent(lease, 2), true);
      for (const attempt of [1, 0, -1, 4, 99]) equal(await ledger.markSent(lease, attempt), false, `number ${attempt}`);
      equal((await raw(request)).attempts, 2);
      equal(await ledger.markSent(lease, 3), true);
      equal(await ledger.markSent(lease, 4), false);
      equal((await raw(request)).attempts, 3);
    },
  },
  {
    id: 'ledger:mark-sent-after-end',
    title: 'nothing is sent, renewed or released after the end',
    needs: [],
    async run(fixture) {
      const { ledger, end, raw } = await benchOf(fixture);
      for (const outcome of [DONE, REFUSED, DOUBT]) {
        const request = claimRequestOf(`a ${outcome.state}`);
        const lease = await end(request, outcome);
        for (const attempt of [1, 2]) equal(await ledger.markSent(lease, attempt), false);
        deepEqual(await ledger.renewAll([lease]), [false]);
        for (const hold of [true, false]) equal(await ledger.release(lease, { attempts: 0, hold }), false);
        equal((await raw(request)).state, outcome.state);
      }
    },
  },
  {
    id: 'ledger:mark-sent-renews',
    title: 'marking a send starts the lease anew',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, take, advance } = await benchOf(fixture);
      const { lease } = await take(claimRequestOf('a', { leaseMs: 2 * SHORT_MS }));
      await advance(1.5 * SHORT_MS);
      equal(await ledger.markSent(lease, 1), true);
      await advance(SHORT_MS);
      equal((await ledger.claim(claimRequestOf('a'))).kind, 'busy');
      await advance(SHORT_MS + 1);
      equal((await ledger.claim(claimRequestOf('a'))).kind, 'claimed');
    },
  },
  {
    id: 'ledger:renew',
    title: 'renewing keeps exactly the named leases alive, and answers each at its place',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, take, send, end, advance, usurp } = await benchOf(fixture);
      const { stale } = await usurp(claimRequestOf('lost'));
      const kept = await send(claimRequestOf('kept', { leaseMs: 2 * SHORT_MS }));
      const left = await take(claimRequestOf('left', { leaseMs: 2 * SHORT_MS }));
      const over = await end(claimRequestOf('over'), DONE);
      const held = await take(claimRequestOf('held', { leaseMs: 2 * SHORT_MS }));
      await advance(1.5 * SHORT_MS);
      deepEqual(await ledger.renewAll([kept.lease, stale, over, held.lease]), [true, false, false, true]);
      deepEqual(await ledger.renewAll([]), []);
      await advance(SHORT_MS);
      equal((await ledger.claim(claimRequestOf('kept'))).kind, 'busy');
      equal((await ledger.claim(claimRequestOf('held'))).kind, 'busy');
      ok((await take(claimRequestOf('left'))).lease.fence > left.lease.fence);
    },
  },
  {
    id: 'ledger:release-hold',
    title: 'a release that holds goes back to claimed but keeps the lease for its owner’s next send',
    needs: [],
    async run(fixture) {
      const { ledger, send, raw } = await benchOf(fixture);
      const request = claimRequestOf('a');
      const { lease } = await send(request);
      equal(await ledger.release(lease, { attempts: 1, hold: true }), true);
      const { state, attempts } = await raw(request);
      deepEqual({ state, attempts }, { state: 'claimed', attempts: 1 });
      equal((await ledger.claim(claimRequestOf('a'))).kind, 'busy');
      equal(await ledger.markSent(lease, 1), false, 'number 1 reached the server');
      equal(await ledger.markSent(lease, 2), true);
      deepEqual([(await raw(request)).state, (await raw(request)).attempts], ['sent', 2]);
    },
  },
  {
    id: 'ledger:release-uncounted',
    title: 'a send that never left is not counted: its number is free again',
    needs: [],
    async run(fixture) {
      const { ledger, send, raw } = await benchOf(fixture);
      const request = claimRequestOf('a', { maxAttempts: 1 });
      const { lease } = await send(request);
      equal(await ledger.release(lease, { attempts: 0, hold: true }), true);
      equal((await raw(request)).attempts, 0);
      equal(await ledger.markSent(lease, 1), true);
      equal((await raw(request)).attempts, 1);
    },
  },
  {
    id: 'ledger:release-hold-renews',
    title: 'a release that holds starts the lease anew',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, advance } = await benchOf(fixture);
      const { lease } = await send(claimRequestOf('a', { leaseMs: 2 * SHORT_MS }));
      await advance(1.5 * SHORT_MS);
      equal(await ledger.release(lease, { attempts: 1, hold: true }), true);
      await advance(SHORT_MS);
      equal((await ledger.claim(claimRequestOf('a'))).kind, 'busy');
    },
  },
  {
    id: 'ledger:release-free',
    title:
      'a release that lets go frees the key at once; sends stay counted and the next claim may send as often again',
    needs: [],
    async run(fixture) {
      const { ledger, send, take, raw } = await benchOf(fixture);
      const first = await send(claimRequestOf('a', { maxAttempts: 2 }));
      equal(await ledger.markSent(first.lease, 2), true);
      equal(await ledger.release(first.lease, { attempts: 2, hold: false }), true);
      const second = await take(claimRequestOf('a', { state: 'sent', maxAttempts: 2, mode: 'effectively-once' }));
      ok(second.lease.fence > first.lease.fence);
      deepEqual([second.attempts, second.attemptLimit, second.takenOver], [3, 4, undefined]);
      equal((await raw(claimRequestOf('a'))).state, 'sent');
      equal(
        (await ledger.find(claimRequestOf('a').operationId))?.mode,
        'effectively-once',
        'nothing of the first claim ran',
      );
    },
  },
  {
    id: 'ledger:release-gives-up',
    title: 'a lease that was given back is lost; giving it back once more is fine [G:I4]',
    needs: [],
    async run(fixture) {
      const { ledger, send, take, raw } = await benchOf(fixture);
      const request = claimRequestOf('a');
      const { lease } = await send(request);
      for (let n = 0; n < 2; n += 1) equal(await ledger.release(lease, { attempts: 0, hold: false }), true);
      equal(await ledger.markSent(lease, 1), false);
      deepEqual(await ledger.renewAll([lease]), [false]);
      equal(await ledger.settle(lease, REFUSED), false);
      deepEqual([(await raw(request)).state, (await raw(request)).attempts], ['claimed', 0]);
      const second = await take(request);
      ok(second.lease.fence > lease.fence, 'also for the same owner');
      equal(await ledger.release(lease, { attempts: 0, hold: false }), false);
      equal(await ledger.markSent(lease, 1), false);
      equal(await ledger.settle(lease, REFUSED), false);
      equal(await ledger.release(second.lease, { attempts: 0, hold: false }), true);
      equal(
        await ledger.release(lease, { attempts: 0, hold: false }),
        false,
        'what is free now was given back by another',
      );
    },
  },
  {
    id: 'ledger:release-listed',
    title: 'a released operation is listed, and counts as ended until somebody drives it again [G:I3]',
    needs: [],
    async run(fixture) {
      const { ledger, send, take } = await benchOf(fixture);
      const request = claimRequestOf('a');
      await ledger.release((await send(request)).lease, { attempts: 1, hold: false });
      const [record] = (await ledger.list({ states: ['claimed'] })).records;
      deepEqual([record?.operationId, record?.attempts, record?.leaseUntil], [request.operationId, 1, 0]);
      ok(record?.endedAt !== undefined);
      await take(claimRequestOf('a'));
      equal((await ledger.find(request.operationId))?.endedAt, undefined);
    },
  },
];
