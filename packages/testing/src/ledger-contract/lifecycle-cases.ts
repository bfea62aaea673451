/** Cases of opening, closing, reopening and losing the store. */
import { deepEqual, equal, fail, ok, rejects } from 'node:assert/strict';
import { isMcpTxError } from '@mcp-tx/core/ledger';
import type { LedgerCase, ReadableLedger } from './fixture.ts';
import { benchOf, claimRequestOf, DONE, DOUBT, REFUSED } from './requests.ts';

/** Every method, called in a way that would succeed on an open ledger. */
function everyCall(ledger: ReadableLedger): Record<string, () => Promise<unknown>> {
  const lease = { operationId: claimRequestOf('a').operationId, fence: 1, ownerToken: 'owner', leaseMs: 1 };
  const outcome = { state: 'completed', result: '{}' } as const;
  return {
    claim: async () => ledger.claim(claimRequestOf('a')), // a ledger that answers at once may throw at once
    markSent: () => ledger.markSent(lease, 1),
    renewAll: () => ledger.renewAll([lease]),
    'renewAll of nothing': () => ledger.renewAll([]),
    release: () => ledger.release(lease, { attempts: 0, hold: false }),
    settle: async () => ledger.settle(lease, DONE),
    resolve: () => ledger.resolve(lease.operationId, { outcome, by: 'mia', reason: 'looked it up' }),
    find: () => ledger.find(lease.operationId),
    sweep: () => ledger.sweep(1),
    list: () => ledger.list({}),
    stats: () => ledger.stats({}),
    purge: () => ledger.purge(0, 1),
    audit: () => ledger.audit(lease.operationId),
  };
}

export const lifecycleCases: readonly LedgerCase[] = [
  {
    id: 'ledger:close',
    title: 'closing twice is fine; every later call is refused with LEDGER_CLOSED',
    needs: [],
    async run(fixture) {
      const { ledger, take } = await benchOf(fixture);
      await take(claimRequestOf('before'));
      await Promise.all([ledger.close(), ledger.close()]);
      await ledger.close();
      for (const [name, call] of Object.entries(everyCall(ledger))) {
        const isClosed = (error: unknown): boolean => isMcpTxError(error) && error.code === 'LEDGER_CLOSED';
        await rejects(call(), isClosed, `${name} after close`);
      }
    },
  },
  {
    id: 'ledger:close-under-way',
    title: 'closing lets what was asked before it finish, or refuses it; it never leaves a caller hanging',
    needs: [],
    async run(fixture) {
      const ledger = await fixture.open();
      const asked = Array.from({ length: 32 }, (_, n) => ledger.claim(claimRequestOf(`op ${n}`)));
      await ledger.close();
      for (const claim of await Promise.allSettled(asked)) {
        if (claim.status === 'fulfilled') equal(claim.value.kind, 'claimed');
        else ok(isMcpTxError(claim.reason) && claim.reason.code === 'LEDGER_CLOSED');
      }
    },
  },
  {
    id: 'ledger:reopen',
    title: 'everything that was acknowledged survives reopening: states, results, fences, audit, order',
    needs: ['durable'],
    async run(fixture) {
      const { ledger, take, send, end } = await benchOf(fixture);
      await take(claimRequestOf('claimed', { arguments: '{}' }));
      await send(claimRequestOf('sent'));
      await end(claimRequestOf('done'), DONE);
      await end(claimRequestOf('failed'), REFUSED);
      await end(claimRequestOf('doubt'), DOUBT);
      await end(claimRequestOf('resolved'), DOUBT);
      const outcome = { state: 'completed', result: '{"looked":"up"}' } as const;
      await ledger.resolve(claimRequestOf('resolved').operationId, { outcome, by: 'mia', reason: 'looked it up' });
      const before = await ledger.list({});
      const audit = await ledger.audit(claimRequestOf('resolved').operationId);
      const again = (await fixture.reopen?.()) ?? fail('this case needs reopen');
      deepEqual(await again.list({}), before);
      deepEqual(await again.audit(claimRequestOf('resolved').operationId), audit);
      const kinds = [];
      for (const name of ['claimed', 'sent', 'done', 'failed', 'doubt', 'resolved']) {
        kinds.push((await again.claim(claimRequestOf(name))).kind);
      }
      deepEqual(kinds, ['busy', 'busy', 'replay', 'replay', 'in_doubt', 'replay']);
    },
  },
  {
    id: 'ledger:outage',
    title:
      'while the store is out, writes fail with LEDGER_UNAVAILABLE and its cause; afterwards the same calls succeed',
    needs: ['outage'],
    async run(fixture) {
      const { ledger, send, raw } = await benchOf(fixture);
      const { lease } = await send(claimRequestOf('a'));
      const restore = (await fixture.breakStore?.()) ?? fail('this case needs breakStore');
      const isOut = (error: unknown): boolean =>
        isMcpTxError(error) && error.code === 'LEDGER_UNAVAILABLE' && error.cause !== undefined && error.retryable;
      const fresh = claimRequestOf('b', { state: 'sent' });
      await rejects(async () => ledger.claim(fresh), isOut);
      await rejects(ledger.markSent(lease, 2), isOut);
      await rejects(async () => ledger.settle(lease, DONE), isOut);
      await restore();
      equal(await ledger.settle(lease, DONE), true);
      const claim = await ledger.claim(fresh);
      deepEqual(claim.kind === 'claimed' && [claim.attempts, claim.takenOver], [1, undefined]);
      deepEqual([(await raw(claimRequestOf('a'))).state, (await raw(fresh)).attempts], ['completed', 1]);
    },
  },
];
