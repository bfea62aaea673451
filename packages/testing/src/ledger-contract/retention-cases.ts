/** Cases of retention: what is forgotten when, and that nothing is forgotten that may have run. */
import { deepEqual, equal, fail } from 'node:assert/strict';
import type { ClaimRequest } from '@mcp-tx/core/ledger';
import type { LedgerCase, ReadableLedger } from './fixture.ts';
import { benchOf, claimRequestOf, DONE, DOUBT, keylessOf, REFUSED, SHORT_MS } from './requests.ts';

const brief = { retentionMs: SHORT_MS } as const;

/** When its retention, counted from its end, passes. Purges are told this instant, for a claim may itself clean up. */
async function overAt(ledger: ReadableLedger, request: ClaimRequest): Promise<number> {
  const endedAt = (await ledger.find(request.operationId))?.endedAt;
  return endedAt === undefined ? fail('it has not ended') : endedAt + request.retentionMs;
}

export const retentionCases: readonly LedgerCase[] = [
  {
    id: 'ledger:retention',
    title: 'a keyed record is replayed until its retention has passed, is expired for ten times as long, and then new',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, end, advance } = await benchOf(fixture);
      await end(claimRequestOf('done', brief), DONE);
      await end(claimRequestOf('failed', brief), REFUSED);
      await advance(SHORT_MS / 4);
      equal((await ledger.claim(claimRequestOf('done'))).kind, 'replay');
      await advance(SHORT_MS);
      for (const name of ['done', 'failed']) deepEqual(await ledger.claim(claimRequestOf(name)), { kind: 'expired' });
      await advance(8 * SHORT_MS);
      deepEqual(await ledger.claim(claimRequestOf('done')), { kind: 'expired' });
      await advance(3 * SHORT_MS);
      for (const name of ['done', 'failed']) {
        const claim = await ledger.claim(claimRequestOf(name, { state: 'sent' }));
        deepEqual(claim.kind === 'claimed' && [claim.attempts, claim.takenOver], [1, undefined]);
      }
    },
  },
  {
    id: 'ledger:retention-purged',
    title: 'a purge changes no answer: the tombstone says expired, and remembers the digest [G:I7]',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, end, advance } = await benchOf(fixture);
      const request = claimRequestOf('a', brief);
      await end(request, DONE);
      const over = await overAt(ledger, request);
      await advance(SHORT_MS + 1);
      equal(await ledger.purge(over, 100), 1);
      const { operationId } = claimRequestOf('a');
      equal(await ledger.find(operationId), undefined);
      equal((await ledger.list({ states: ['completed'] })).records.length, 0);
      deepEqual(await ledger.claim(claimRequestOf('a')), { kind: 'expired' });
      deepEqual(await ledger.claim(claimRequestOf('a', { digest: '0'.repeat(64) })), { kind: 'conflict' });
      deepEqual(await ledger.claim(claimRequestOf('a', { fingerprint: 'other' })), { kind: 'expired' });
      const outcome = { state: 'completed', result: '{}' } as const;
      deepEqual(await ledger.resolve(operationId, { outcome, by: 'late-answer', reason: 'late' }), {
        kind: 'not_found',
      });
      await advance(11 * SHORT_MS);
      equal((await ledger.claim(claimRequestOf('a'))).kind, 'claimed');
    },
  },
  {
    id: 'ledger:retention-purged-lease',
    title: 'the lease of what was purged is lost',
    needs: [],
    async run(fixture) {
      const { ledger, send, end } = await benchOf(fixture);
      const done = await end(claimRequestOf('done', brief), DONE);
      const { lease: released } = await send(claimRequestOf('released', brief));
      await ledger.release(released, { attempts: 0, hold: false });
      const over = await overAt(ledger, claimRequestOf('released', brief));
      equal(await ledger.purge(over, 100), 2);
      equal(await ledger.settle(done, DONE), false);
      equal(await ledger.release(released, { attempts: 0, hold: false }), false);
      deepEqual(await ledger.renewAll([done, released]), [false, false]);
      for (let n = 0; n < 3; n += 1) await end(claimRequestOf(`next ${n}`), DONE); // a store may use their places again
      for (const lease of [done, released]) equal(await ledger.settle(lease, DONE), false);
    },
  },
  {
    id: 'ledger:retention-tombstones-purged',
    title: 'tombstones go too when their own time is over, and not before',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      const request = claimRequestOf('a 0', brief);
      await end(request, DONE);
      const over = await overAt(ledger, request);
      for (let n = 1; n < 4; n += 1) await end(claimRequestOf(`a ${n}`, brief), DONE);
      equal(await ledger.purge(over + SHORT_MS, 3), 3);
      equal(await ledger.purge(over - 1, 100), 0);
      equal(await ledger.purge(over + 9 * SHORT_MS, 1), 1, 'the record that is left');
      equal(await ledger.purge(over + 9 * SHORT_MS, 100), 0);
      await end(claimRequestOf('a 4', brief), DONE);
      const removed = []; // the record, its tombstone, and the four that are there
      for (let n = 0; n < 4; n += 1) removed.push(await ledger.purge(over + 12 * SHORT_MS, 2));
      deepEqual(removed, [2, 2, 2, 0]);
      equal((await ledger.claim(claimRequestOf('a 0'))).kind, 'claimed');
    },
  },
  {
    id: 'ledger:retention-kept',
    title: 'what is under way, sent or in doubt never goes by age, nor is it expired [G:I3]',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, take, send, end, advance, now } = await benchOf(fixture);
      const lease = { ...brief, leaseMs: SHORT_MS };
      await take(claimRequestOf('claimed', lease));
      await take(claimRequestOf('waiting', { ...lease, arguments: '{}' }));
      await send(claimRequestOf('sent', { ...lease, mode: 'at-least-once' }));
      await end(claimRequestOf('doubt', brief), DOUBT);
      await end(keylessOf('keyless doubt', brief), DOUBT);
      await advance(40 * SHORT_MS);
      equal(await ledger.purge(await now(), 100), 0);
      for (const name of ['claimed', 'waiting', 'sent', 'doubt', 'keyless doubt']) {
        equal((await ledger.find(claimRequestOf(name).operationId))?.operationId, claimRequestOf(name).operationId);
      }
      equal((await ledger.claim(claimRequestOf('doubt'))).kind, 'in_doubt');
      await ledger.sweep(100);
      await advance(40 * SHORT_MS);
      await ledger.purge(await now(), 100);
      equal(await ledger.find(claimRequestOf('claimed').operationId), undefined, 'the sweep let go of it');
      equal((await take(claimRequestOf('sent'))).takenOver?.state, 'sent');
      equal((await ledger.stats({})).byState.in_doubt, 2);
    },
  },
  {
    id: 'ledger:retention-resolved',
    title: 'retention counts from the end that stands: a doubt that is resolved late is replayed for its full time',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, end, advance, now } = await benchOf(fixture);
      await end(claimRequestOf('a', { retentionMs: 2 * SHORT_MS }), DOUBT);
      await advance(5 * SHORT_MS);
      const outcome = { state: 'completed', result: '{}' } as const;
      await ledger.resolve(claimRequestOf('a').operationId, { outcome, by: 'mia', reason: 'looked it up' });
      await advance(SHORT_MS);
      equal(await ledger.purge(await now(), 100), 0);
      equal((await ledger.claim(claimRequestOf('a'))).kind, 'replay');
      await advance(SHORT_MS + 1);
      deepEqual(await ledger.claim(claimRequestOf('a')), { kind: 'expired' });
    },
  },
  {
    id: 'ledger:retention-released',
    title: 'a released record goes after its retention and leaves no tombstone: its key was never used up',
    needs: [],
    async run(fixture) {
      const { ledger, send, take } = await benchOf(fixture);
      const request = claimRequestOf('a', brief);
      await ledger.release((await send(request)).lease, { attempts: 1, hold: false });
      await ledger.release((await send(claimRequestOf('b', brief))).lease, { attempts: 1, hold: false });
      await take(claimRequestOf('b', brief));
      const over = await overAt(ledger, request);
      equal(await ledger.purge(over - 1, 100), 0);
      equal(await ledger.purge(over + SHORT_MS, 100), 1, 'somebody drives the other one again');
      equal(await ledger.find(request.operationId), undefined);
      const claim = await take(claimRequestOf('a', { state: 'sent' }));
      deepEqual([claim.attempts, claim.attemptLimit, claim.takenOver], [1, 3, undefined]);
    },
  },
  {
    id: 'ledger:retention-keyless',
    title: 'an ended record without a key is purged without a trace',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, end, advance, now } = await benchOf(fixture);
      await end(keylessOf('a', brief), DONE);
      await end(keylessOf('b', brief), DONE);
      await advance(SHORT_MS + 1);
      equal((await ledger.claim(keylessOf('b'))).kind, 'claimed', 'also before the purge');
      await ledger.purge(await now(), 100); // a ledger may have dropped it before
      equal(await ledger.find(keylessOf('a').operationId), undefined);
      equal((await ledger.claim(keylessOf('a'))).kind, 'claimed');
    },
  },
  {
    id: 'ledger:purge',
    title: 'a purge removes what was over by the instant given, no more than its limit, and tells how much it removed',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, end, advance } = await benchOf(fixture);
      const long = { retentionMs: 1_000_000 };
      for (let n = 0; n < 5; n += 1) await end(claimRequestOf(`old ${n}`, long), DONE);
      const over = await overAt(ledger, claimRequestOf('old 4', long));
      await advance(SHORT_MS);
      await end(claimRequestOf('young', long), DONE);
      equal(await ledger.purge(over - long.retentionMs, 100), 0, 'nothing is over yet');
      const removed = [];
      for (let n = 0; n < 4; n += 1) removed.push(await ledger.purge(over + 1, 2));
      deepEqual(removed, [2, 2, 1, 0]);
      equal((await ledger.list({})).records.length, 1);
      equal((await ledger.claim(claimRequestOf('young'))).kind, 'replay');
    },
  },
];
