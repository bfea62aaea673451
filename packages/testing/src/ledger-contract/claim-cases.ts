/** Cases of `claim`: who gets the lease, and what everybody else is told. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { ClaimRequest } from '@mcp-tx/core/ledger';
import type { LedgerCase } from './fixture.ts';
import { benchOf, claimedIn, claimRequestOf, DONE, DOUBT, REFUSED, SHORT_MS } from './requests.ts';

const rivals = (request: ClaimRequest, count: number): ClaimRequest[] =>
  Array.from({ length: count }, (_, n) => ({
    ...request,
    ownerToken: `rival ${n}`,
    requestId: `request of rival ${n}`,
  }));

export const claimCases: readonly LedgerCase[] = [
  {
    id: 'ledger:claim-new',
    title: 'a new operation is claimed, with no send made',
    needs: [],
    async run(fixture) {
      const { take, raw } = await benchOf(fixture);
      const request = claimRequestOf('a');
      const claim = await take(request);
      deepEqual([claim.attempts, claim.attemptLimit, claim.takenOver], [0, 3, undefined]);
      deepEqual([claim.lease.operationId, claim.lease.ownerToken], [request.operationId, request.ownerToken]);
      const { state, attempts, fence } = await raw(request);
      deepEqual({ state, attempts, fence }, { state: 'claimed', attempts: 0, fence: claim.lease.fence });
    },
  },
  {
    id: 'ledger:claim-to-sent',
    title: 'a claim may go straight to sent, which is its first send, and is in the store when claim answers',
    needs: [],
    async run(fixture) {
      const { ledger, send, raw } = await benchOf(fixture);
      const request = claimRequestOf('a');
      equal((await send(request)).attempts, 1);
      const { state, attempts } = await raw(request);
      deepEqual({ state, attempts }, { state: 'sent', attempts: 1 });
      ok((await ledger.find(request.operationId))?.sentAt !== undefined);
    },
  },
  {
    // T12
    id: 'ledger:claim-race',
    title: 'of 64 concurrent claims exactly one gets the lease; the others learn that it is busy [G:I11]',
    needs: [],
    async run(fixture) {
      const { ledger, raw } = await benchOf(fixture);
      const request = claimRequestOf('a', { state: 'sent' });
      const claims = await Promise.all(rivals(request, 64).map((rival) => ledger.claim(rival)));
      const kinds = claims.map((claim) => claim.kind).sort();
      deepEqual(kinds, [...Array<string>(63).fill('busy'), 'claimed']);
      equal((await raw(request)).attempts, 1);
    },
  },
  {
    id: 'ledger:claim-many',
    title: '64 concurrent claims of 64 operations all get their lease, though a 65th among them conflicts',
    needs: [],
    async run(fixture) {
      const { ledger, take, raw } = await benchOf(fixture);
      await take(claimRequestOf('spoiled'));
      const requests = Array.from({ length: 64 }, (_, n) => claimRequestOf(`op ${n}`));
      const spoiled = claimRequestOf('spoiled', { fingerprint: 'other' });
      const claims = await Promise.all(
        [...requests.slice(0, 32), spoiled, ...requests.slice(32)].map((r) => ledger.claim(r)),
      );
      deepEqual(claims.splice(32, 1), [{ kind: 'conflict' }]);
      const leases = claims.map((claim) => claimedIn(claim).lease);
      deepEqual(
        leases.map((lease) => lease.operationId),
        requests.map((request) => request.operationId),
      );
      for (const request of requests) equal((await raw(request)).state, 'claimed');
    },
  },
  {
    id: 'ledger:claim-again',
    title: 'a claim repeated with the same owner token gets the same lease and counts one send, also 8 at once',
    needs: [],
    async run(fixture) {
      const { ledger, raw } = await benchOf(fixture);
      const request = claimRequestOf('a', { state: 'sent' });
      const claims = (await Promise.all(Array.from({ length: 8 }, () => ledger.claim(request)))).map(claimedIn);
      equal(new Set(claims.map((claim) => claim.lease.fence)).size, 1);
      deepEqual([...new Set(claims.map((claim) => claim.attempts))], [1]);
      equal((await raw(request)).attempts, 1);
      equal(await ledger.settle(claimedIn(await ledger.claim(request)).lease, DONE), true);
    },
  },
  {
    id: 'ledger:claim-again-after-end',
    title: 'a claim repeated with the same owner token after the end is a replay',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      const request = claimRequestOf('a');
      await end(request, DONE);
      equal((await ledger.claim(request)).kind, 'replay');
    },
  },
  {
    // T13
    id: 'ledger:claim-conflict',
    title: 'another digest, tool or fingerprint is a conflict, whatever the state, and changes nothing [G:I7]',
    needs: [],
    async run(fixture) {
      const { ledger, take, send, end, raw } = await benchOf(fixture);
      const requests = [
        claimRequestOf('claimed'),
        claimRequestOf('sent'),
        claimRequestOf('done'),
        claimRequestOf('failed'),
        claimRequestOf('doubt'),
      ];
      const [claimed, sent, done, failed, doubt] = requests as [
        ClaimRequest,
        ClaimRequest,
        ClaimRequest,
        ClaimRequest,
        ClaimRequest,
      ];
      await take(claimed);
      await send(sent);
      await end(done, DONE);
      await end(failed, REFUSED);
      await end(doubt, DOUBT);
      for (const request of requests) {
        const before = await raw(request);
        const others = [{ digest: `${request.digest.slice(0, -1)}x` }, { tool: 'refund' }, { fingerprint: 'other' }];
        for (const other of others) {
          deepEqual(await ledger.claim({ ...request, ...other, ownerToken: 'other' }), { kind: 'conflict' });
          deepEqual(await ledger.claim({ ...request, ...other }), { kind: 'conflict' }, 'also for the same owner');
        }
        deepEqual(await raw(request), before);
      }
    },
  },
  {
    id: 'ledger:claim-no-fingerprint',
    title: 'fingerprints are compared only where both sides have one',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      const { fingerprint: _, ...bare } = claimRequestOf('a');
      await end(bare, DONE);
      equal((await ledger.claim(claimRequestOf('a', { fingerprint: 'any' }))).kind, 'replay');
      const { fingerprint: __, ...asksWithout } = claimRequestOf('b');
      await end(claimRequestOf('b'), DONE);
      equal((await ledger.claim(asksWithout)).kind, 'replay');
    },
  },
  {
    id: 'ledger:claim-replay',
    title: 'a completed operation is replayed, its result the same to the byte [G:I2]',
    needs: [],
    async run(fixture) {
      const { ledger, end, raw } = await benchOf(fixture);
      const request = claimRequestOf('a');
      await end(request, DONE);
      for (let n = 0; n < 3; n += 1) {
        const claim = await ledger.claim(claimRequestOf('a'));
        ok(claim.kind === 'replay');
        deepEqual(claim.record.outcome, DONE);
      }
      equal((await raw(request)).result, DONE.state === 'completed' ? DONE.result : undefined);
    },
  },
  {
    id: 'ledger:claim-replay-failed',
    title: 'a failed operation is replayed as the same failure',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      await end(claimRequestOf('a'), REFUSED);
      const claim = await ledger.claim(claimRequestOf('a'));
      ok(claim.kind === 'replay');
      deepEqual(claim.record.outcome, REFUSED);
    },
  },
  {
    id: 'ledger:claim-in-doubt',
    title: 'an operation in doubt is told as such and never handed out [G:I9]',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      await end(claimRequestOf('a'), DOUBT);
      const claim = await ledger.claim(claimRequestOf('a', { mode: 'effectively-once' }));
      ok(claim.kind === 'in_doubt');
      deepEqual([claim.record.state, claim.record.outcome], ['in_doubt', DOUBT]);
    },
  },
  {
    id: 'ledger:claim-busy',
    title: 'a live lease is busy, and tells by the store’s clock how long it still lasts',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, advance } = await benchOf(fixture);
      await send(claimRequestOf('a', { leaseMs: 10 * SHORT_MS }));
      const first = await ledger.claim(claimRequestOf('a'));
      ok(first.kind === 'busy' && first.leaseLeftMs > 5 * SHORT_MS && first.leaseLeftMs <= 10 * SHORT_MS);
      equal(first.record.state, 'sent');
      await advance(SHORT_MS);
      const second = await ledger.claim(claimRequestOf('a'));
      ok(second.kind === 'busy' && second.leaseLeftMs <= first.leaseLeftMs - SHORT_MS);
    },
  },
  {
    // T17
    id: 'ledger:claim-look-alikes',
    title: 'keys, scopes and tools that some databases take for equal stay apart and come back as they were [G:I7]',
    needs: [],
    async run(fixture) {
      const { ledger, take } = await benchOf(fixture);
      const texts = [
        'A',
        'a',
        'a ',
        ' a',
        'é',
        'e\u0301',
        'ß',
        'ss',
        'İ',
        'i',
        '%',
        '_',
        '*',
        'a\u200b',
        'x'.repeat(255),
      ];
      const requests = texts.map((text) =>
        claimRequestOf(`key ${text}`, { idempotencyKey: text, scope: text, serverName: text, tool: text }),
      );
      for (const request of requests) await take(request);
      for (const [n, request] of requests.entries()) {
        const record = await ledger.find(request.operationId);
        const columns = [record?.idempotencyKey, record?.scope, record?.serverName, record?.tool];
        deepEqual(columns, Array(4).fill(texts[n]));
        equal((await ledger.list({ scope: request.scope })).records.length, 1, `scope ${JSON.stringify(texts[n])}`);
      }
    },
  },
];
