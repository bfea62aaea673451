/** Cases of take-over: what becomes of an operation whose owner is gone, and of an owner who comes back late. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { LedgerCase } from './fixture.ts';
import { benchOf, claimedIn, claimRequestOf, DONE, DOUBT, SHORT_MS } from './requests.ts';

const short = { leaseMs: SHORT_MS } as const;

export const takeoverCases: readonly LedgerCase[] = [
  {
    id: 'ledger:takeover-claimed',
    title: 'a claimed operation whose lease ran out is taken over with a higher fence, and keeps its attempt limit',
    needs: ['clock'],
    async run(fixture) {
      const { take, advance, raw } = await benchOf(fixture);
      const first = await take(claimRequestOf('a', { ...short, maxAttempts: 2 }));
      await advance(SHORT_MS + 1);
      const second = await take(claimRequestOf('a', { state: 'sent', maxAttempts: 9 }));
      ok(second.lease.fence > first.lease.fence);
      deepEqual([second.takenOver?.state, second.takenOver?.fence], ['claimed', first.lease.fence]);
      deepEqual([second.attempts, second.attemptLimit], [0, 2], 'a crashed owner’s record keeps its limit');
      equal((await raw(claimRequestOf('a'))).state, 'claimed', 'not sent: the new owner has to look at it first');
    },
  },
  {
    id: 'ledger:takeover-sent',
    title:
      'a sent operation is taken over as sent: no send is counted, none may repeat the former owner’s number [G:I6]',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, take, advance, raw } = await benchOf(fixture);
      const request = claimRequestOf('a', { ...short, mode: 'effectively-once', maxAttempts: 2 });
      const first = await send(request);
      await advance(SHORT_MS + 1);
      const second = await take(claimRequestOf('a', { state: 'sent', mode: 'effectively-once', maxAttempts: 9 }));
      ok(second.lease.fence > first.lease.fence);
      deepEqual([second.attempts, second.attemptLimit], [1, 2]);
      const { state, requestId, attempts } = second.takenOver ?? {};
      deepEqual({ state, requestId, attempts }, { state: 'sent', requestId: request.requestId, attempts: 1 });
      equal(await ledger.markSent(second.lease, 1), false, 'number 1 was the former owner’s');
      deepEqual([(await raw(request)).state, (await raw(request)).attempts], ['sent', 1]);
      equal(await ledger.markSent(second.lease, 2), true);
      equal(await ledger.markSent(second.lease, 3), false, 'over the limit of the record');
      equal((await raw(request)).attempts, 2);
    },
  },
  {
    id: 'ledger:takeover-race',
    title: 'of 32 concurrent take-overs exactly one gets the lease [G:I11]',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, advance } = await benchOf(fixture);
      const first = await send(claimRequestOf('a', short));
      await advance(SHORT_MS + 1);
      const claims = await Promise.all(Array.from({ length: 32 }, () => ledger.claim(claimRequestOf('a'))));
      deepEqual(claims.map((claim) => claim.kind).sort(), [...Array<string>(31).fill('busy'), 'claimed']);
      const winner = claimedIn(claims.find((claim) => claim.kind === 'claimed') ?? { kind: 'expired' });
      equal(winner.lease.fence, first.lease.fence + 1);
    },
  },
  {
    id: 'ledger:takeover-again',
    title: 'a take-over repeated with the same owner token says again that it is one, and counts nothing',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, take, advance, raw } = await benchOf(fixture);
      await send(claimRequestOf('a', short));
      await advance(SHORT_MS + 1);
      const request = claimRequestOf('a', { state: 'sent' });
      const first = await take(request);
      const again = await take(request);
      equal(again.lease.fence, first.lease.fence);
      deepEqual([again.attempts, again.takenOver?.state, again.takenOver?.attempts], [1, 'sent', 1]);
      equal((await raw(request)).attempts, 1);
      equal(await ledger.markSent(again.lease, 2), true);
      equal((await take(request)).takenOver, undefined, 'it has sent by itself since');
      await take(claimRequestOf('b', short));
      await advance(SHORT_MS + 1);
      const claimed = claimRequestOf('b', { state: 'sent' });
      for (let n = 0; n < 2; n += 1) equal((await take(claimed)).takenOver?.state, 'claimed');
      equal((await raw(claimed)).state, 'claimed');
    },
  },
  {
    id: 'ledger:takeover-mode',
    title: 'what was sent at most once stays so, whoever takes it over',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, take, advance } = await benchOf(fixture);
      await send(claimRequestOf('strict', { ...short, mode: 'at-most-once' }));
      await send(claimRequestOf('lax', { ...short, mode: 'at-least-once' }));
      await advance(SHORT_MS + 1);
      const strict = await take(claimRequestOf('strict', { mode: 'at-least-once' }));
      equal(strict.takenOver?.mode, 'at-most-once');
      equal((await ledger.find(claimRequestOf('strict').operationId))?.mode, 'at-most-once');
      await take(claimRequestOf('lax', { mode: 'at-most-once' }));
      equal((await ledger.find(claimRequestOf('lax').operationId))?.mode, 'at-most-once');
    },
  },
  {
    id: 'ledger:takeover-settle-window',
    title: 'what was sent stays unsettled for the longer of the two settle windows; what was not takes the new one',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, take, advance } = await benchOf(fixture);
      for (const name of ['shorter', 'longer']) await send(claimRequestOf(name, { ...short, settleWindowMs: 5_000 }));
      await ledger.release((await take(claimRequestOf('released', short))).lease, { attempts: 0, hold: false });
      await advance(SHORT_MS + 1);
      const windowOf = async (name: string, settleWindowMs: number): Promise<number | undefined> => {
        const { lease } = await take(claimRequestOf(name, { settleWindowMs }));
        return (await ledger.find(lease.operationId))?.settleWindowMs;
      };
      deepEqual([await windowOf('shorter', 4_000), await windowOf('longer', 6_000)], [5_000, 6_000]);
      equal(await windowOf('released', 4_000), 4_000);
    },
  },
  {
    id: 'ledger:takeover-fence',
    title: 'the fence grows with each take-over, and the record tells the latest claim',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, take, advance, raw } = await benchOf(fixture);
      const fences: number[] = [];
      for (let n = 0; n < 4; n += 1) {
        fences.push(
          (await take(claimRequestOf('a', { ...short, requestId: `claim ${n}`, deadlineInMs: 1_000 + n }))).lease.fence,
        );
        await advance(SHORT_MS + 1);
      }
      deepEqual(
        fences,
        [...new Set(fences)].sort((x, y) => x - y),
      );
      equal((await raw(claimRequestOf('a'))).fence, fences.at(-1));
      const record = await ledger.find(claimRequestOf('a').operationId);
      equal(record?.requestId, 'claim 3');
      equal(record?.deadlineAt, (record?.leaseUntil ?? 0) - short.leaseMs + 1_003);
    },
  },
  {
    id: 'ledger:takeover-stale-owner',
    title: 'no write of an owner that was taken over changes the record [G:I4]',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, usurp, raw } = await benchOf(fixture);
      for (const state of ['claimed', 'sent'] as const) {
        const request = claimRequestOf(`a ${state}`, { state });
        const { stale } = await usurp(request);
        const before = await ledger.find(request.operationId);
        equal(await ledger.markSent(stale, 1), false);
        equal(await ledger.markSent(stale, 2), false);
        deepEqual(await ledger.renewAll([stale]), [false]);
        equal(await ledger.release(stale, { attempts: 0, hold: false }), false);
        equal(await ledger.release(stale, { attempts: 0, hold: true }), false);
        for (const outcome of [DONE, DOUBT]) equal(await ledger.settle(stale, outcome), false);
        deepEqual(await ledger.find(request.operationId), before);
        equal((await raw(request)).state, state);
      }
    },
  },
  {
    id: 'ledger:takeover-stale-after-end',
    title: 'an owner that was taken over cannot settle, not even with the outcome that stands [G:I4]',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, usurp, raw } = await benchOf(fixture);
      const request = claimRequestOf('a', { state: 'sent' });
      const { stale, fresh } = await usurp(request);
      equal(await ledger.settle(fresh.lease, DONE), true);
      equal(await ledger.settle(stale, DONE), false);
      equal((await raw(request)).state, 'completed');
    },
  },
  {
    id: 'ledger:takeover-nobody-came',
    title: 'a lease whose time is over still holds while nobody took it: the fence decides, not the time',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, take, send, advance, raw } = await benchOf(fixture);
      const late = await send(claimRequestOf('settle', short));
      const marks = await take(claimRequestOf('mark', short));
      const renews = await take(claimRequestOf('renew', short));
      const gives = await send(claimRequestOf('release', short));
      await advance(SHORT_MS + 1);
      equal(await ledger.settle(late.lease, DONE), true);
      equal((await raw(claimRequestOf('settle'))).state, 'completed');
      equal(await ledger.markSent(marks.lease, 1), true);
      equal((await ledger.claim(claimRequestOf('mark'))).kind, 'busy', 'marking renews the lease');
      deepEqual(await ledger.renewAll([renews.lease]), [true]);
      equal((await ledger.claim(claimRequestOf('renew'))).kind, 'busy');
      equal(await ledger.release(gives.lease, { attempts: 1, hold: false }), true);
    },
  },
];
