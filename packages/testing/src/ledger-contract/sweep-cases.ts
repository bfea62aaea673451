/** Cases of `sweep`: what becomes of operations that nobody drives any more. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Swept } from '@mcp-tx/core/ledger';
import type { LedgerCase } from './fixture.ts';
import { benchOf, claimRequestOf, DONE, keylessOf, SHORT_MS } from './requests.ts';

const short = { leaseMs: SHORT_MS } as const;
const actions = (swept: readonly Swept[]): string[] =>
  swept.map(({ action, record }) => `${record.idempotencyKey ?? record.tool}: ${action} as ${record.state}`).sort();

export const sweepCases: readonly LedgerCase[] = [
  {
    id: 'ledger:sweep',
    title:
      'each operation whose lease ran out gets what its state, mode and arguments allow; others are left alone [G:I3]',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, take, send, end, advance, raw } = await benchOf(fixture);
      await take(claimRequestOf('claimed', short));
      await take(claimRequestOf('claimed with arguments', { ...short, arguments: '{"amount":1}' }));
      await send(claimRequestOf('sent', { ...short, mode: 'at-most-once' }));
      await send(claimRequestOf('sent with arguments', { ...short, mode: 'at-most-once', arguments: '{}' }));
      await send(claimRequestOf('re-sendable', { ...short, mode: 'at-least-once' }));
      await send(claimRequestOf('re-sendable with arguments', { ...short, mode: 'effectively-once', arguments: '{}' }));
      await send(keylessOf('keyless', { ...short, tool: 'keyless' }));
      await end(claimRequestOf('done', short), DONE);
      await ledger.release((await send(claimRequestOf('released', short))).lease, { attempts: 1, hold: false });
      const argued = claimRequestOf('released with arguments', { ...short, arguments: '{}' });
      await ledger.release((await send(argued)).lease, { attempts: 0, hold: false });
      deepEqual(await ledger.sweep(100), [], 'every lease is live or given back');
      await advance(SHORT_MS + 1);
      await take(claimRequestOf('live'));
      deepEqual(actions(await ledger.sweep(100)), [
        'claimed with arguments: runnable as claimed',
        'claimed: released as claimed',
        'keyless: in_doubt as in_doubt',
        're-sendable with arguments: runnable as sent',
        're-sendable: released as sent',
        'sent with arguments: in_doubt as in_doubt',
        'sent: in_doubt as in_doubt',
      ]);
      const states = [];
      for (const name of ['claimed', 'sent', 're-sendable', 'live'])
        states.push((await raw(claimRequestOf(name))).state);
      deepEqual(states, ['claimed', 'in_doubt', 'sent', 'claimed']);
      const endedAt = async (name: string) => (await ledger.find(claimRequestOf(name).operationId))?.endedAt;
      ok((await endedAt('claimed')) !== undefined && (await endedAt('sent')) !== undefined);
      equal(await endedAt('re-sendable'), undefined, 'it may have run: it has not ended');
      const doubted = await ledger.find(claimRequestOf('sent').operationId);
      deepEqual(doubted?.outcome, { state: 'in_doubt', reason: 'owner-lost' });
      deepEqual(
        actions(await ledger.sweep(100)),
        ['claimed with arguments: runnable as claimed', 're-sendable with arguments: runnable as sent'],
        'told twice is only what still waits to be run',
      );
    },
  },
  {
    id: 'ledger:sweep-limit',
    title: 'a sweep looks at no more than its limit, and the next one goes on',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, advance } = await benchOf(fixture);
      for (let n = 0; n < 7; n += 1) await send(claimRequestOf(`a ${n}`, short));
      await advance(SHORT_MS + 1);
      const sizes = [];
      for (let n = 0; n < 4; n += 1) sizes.push((await ledger.sweep(3)).length);
      deepEqual(sizes, [3, 3, 1, 0]);
      deepEqual((await ledger.stats({})).byState.in_doubt, 7);
    },
  },
  {
    id: 'ledger:sweep-crowded',
    title: 'what waits to be run keeps no sweep from what has to be given up',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, take, send, advance } = await benchOf(fixture);
      for (let n = 0; n < 5; n += 1) await take(claimRequestOf(`waiting ${n}`, { ...short, arguments: '{}' }));
      await advance(1); // the lease of the next one runs out last
      await send(claimRequestOf('sent', short));
      await advance(SHORT_MS + 1);
      deepEqual(
        (await ledger.sweep(3)).map(({ action }) => action),
        ['in_doubt', 'runnable', 'runnable'],
      );
    },
  },
  {
    id: 'ledger:sweep-server',
    title: 'who asks for one server gets that server’s calls to run, and everything that is to be given up',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, take, send, advance } = await benchOf(fixture);
      const waiting = { ...short, arguments: '{}' } as const;
      for (let n = 0; n < 5; n += 1) await take(claimRequestOf(`elsewhere ${n}`, { ...waiting, serverName: 'other' }));
      await advance(1);
      await take(claimRequestOf('here', waiting));
      await send(claimRequestOf('sent elsewhere', { ...short, serverName: 'other' }));
      await advance(SHORT_MS + 1);
      const { serverName } = claimRequestOf('here');
      deepEqual(actions(await ledger.sweep(3, serverName)), [
        'here: runnable as claimed',
        'sent elsewhere: in_doubt as in_doubt',
      ]);
      deepEqual(actions(await ledger.sweep(3, serverName)), ['here: runnable as claimed']);
      equal((await ledger.sweep(100)).length, 6);
    },
  },
  {
    id: 'ledger:sweep-race',
    title: 'two sweeps at once report each operation once',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, advance } = await benchOf(fixture);
      for (let n = 0; n < 10; n += 1) await send(claimRequestOf(`a ${n}`, short));
      await advance(SHORT_MS + 1);
      const swept = (await Promise.all([ledger.sweep(100), ledger.sweep(100)])).flat();
      equal(swept.length, 10);
      equal(new Set(swept.map(({ record }) => record.operationId)).size, 10);
    },
  },
  {
    id: 'ledger:sweep-freed',
    title: 'a freed lease can be taken at once: of a sent operation as a take-over, of a claimed one as a fresh start',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, take, advance } = await benchOf(fixture);
      const sent = await send(claimRequestOf('sent', { ...short, mode: 'at-least-once', maxAttempts: 2 }));
      await take(claimRequestOf('claimed', { ...short, maxAttempts: 2 }));
      await advance(SHORT_MS + 1);
      equal((await ledger.sweep(100)).length, 2);
      const resent = await take(claimRequestOf('sent', { state: 'sent', mode: 'at-least-once', maxAttempts: 5 }));
      ok(resent.lease.fence > sent.lease.fence);
      deepEqual([resent.takenOver?.state, resent.attempts, resent.attemptLimit], ['sent', 1, 2]);
      const afresh = await take(claimRequestOf('claimed', { state: 'sent', maxAttempts: 5 }));
      deepEqual([afresh.takenOver, afresh.attempts, afresh.attemptLimit], [undefined, 1, 5]);
    },
  },
  {
    id: 'ledger:sweep-after-takeover',
    title: 'once a sweep has freed a claimed operation, nothing of a take-over before it is told any more',
    needs: ['clock'],
    async run(fixture) {
      const { usurp, take, ledger, advance } = await benchOf(fixture);
      await usurp(claimRequestOf('a', short));
      await advance(SHORT_MS + 1);
      equal((await ledger.sweep(100))[0]?.action, 'released');
      const request = claimRequestOf('a');
      deepEqual([(await take(request)).takenOver, (await take(request)).takenOver], [undefined, undefined]);
    },
  },
  {
    id: 'ledger:sweep-late-owner',
    title: 'an owner that comes back after the sweep cannot settle what is in doubt, but its answer is not lost [G:I4]',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, advance, raw } = await benchOf(fixture);
      const { lease } = await send(claimRequestOf('a', short));
      await advance(SHORT_MS + 1);
      await ledger.sweep(100);
      equal(await ledger.markSent(lease, 2), false);
      equal(await ledger.settle(lease, DONE), false);
      equal((await raw(claimRequestOf('a'))).state, 'in_doubt');
      const outcome = { state: 'completed', result: '{}' } as const;
      equal((await ledger.resolve(lease.operationId, { outcome, by: 'late-answer', reason: 'late' })).kind, 'resolved');
    },
  },
];
