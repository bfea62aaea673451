/** Cases of quarantine: a keyless call that may repeat one whose effect cannot be known. */
import { deepEqual, equal } from 'node:assert/strict';
import type { ClaimRequest } from '@mcp-tx/core/ledger';
import type { LedgerCase } from './fixture.ts';
import { benchOf, claimRequestOf, DONE, DOUBT, keylessOf, REFUSED, SHORT_MS } from './requests.ts';

const guarded = { fingerprint: 'the same call', quarantine: { session: 'session', windowMs: 600_000 } } as const;
const call = (name: string, more: Partial<ClaimRequest> = {}): ClaimRequest => keylessOf(name, { ...guarded, ...more });

export const quarantineCases: readonly LedgerCase[] = [
  {
    id: 'ledger:quarantine-in-doubt',
    title: 'a keyless repeat of what is in doubt is refused, names it, and leaves no record',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      await end(call('first'), DOUBT);
      const { operationId } = call('first');
      for (const state of ['claimed', 'sent'] as const) {
        deepEqual(await ledger.claim(call('second', { state })), { kind: 'repeat', operationId });
      }
      equal(await ledger.find(call('second').operationId), undefined);
    },
  },
  {
    id: 'ledger:quarantine-scope',
    title: 'another scope, server, fingerprint or session, or a key, or not asking for it, is no repeat',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      await end(call('first'), DOUBT);
      const { quarantine: _, ...unguarded } = call('unguarded');
      const others = [
        call('other scope', { scope: 'other' }),
        call('other server', { serverName: 'other' }),
        call('other fingerprint', { fingerprint: 'other' }),
        call('other session', { quarantine: { session: 'other', windowMs: 600_000 } }),
        claimRequestOf('keyed', guarded),
        unguarded,
      ];
      for (const other of others) equal((await ledger.claim(other)).kind, 'claimed', JSON.stringify(other));
    },
  },
  {
    id: 'ledger:quarantine-keyed',
    title: 'an operation with a key puts a keyless repeat in quarantine, and no other one with a key',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      await end(claimRequestOf('keyed', guarded), DOUBT);
      const { operationId } = claimRequestOf('keyed', guarded);
      deepEqual(await ledger.claim(call('keyless')), { kind: 'repeat', operationId });
      equal((await ledger.claim(claimRequestOf('another key', guarded))).kind, 'claimed');
    },
  },
  {
    id: 'ledger:quarantine-repeat-of',
    title: 'who names what it repeats passes; who names another operation does not',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      const { quarantine } = guarded;
      await end(call('first'), DOUBT);
      await end(call('other', { fingerprint: 'another call' }), DOUBT);
      const repeating = (name: string, repeatOf: string) => call(name, { quarantine: { ...quarantine, repeatOf } });
      const { operationId } = call('first');
      for (const named of [call('other').operationId, 'op_unknown', '']) {
        deepEqual(await ledger.claim(repeating('wrong', named)), { kind: 'repeat', operationId });
      }
      await end(repeating('second', operationId), DOUBT);
      for (const named of ['first', 'second']) {
        equal((await ledger.claim(repeating(`third, of ${named}`, call(named).operationId))).kind, 'claimed');
      }
      equal((await ledger.claim(call('unnamed'))).kind, 'repeat');
    },
  },
  {
    id: 'ledger:quarantine-known',
    title: 'what is known puts nothing in quarantine: completed, failed, released, resolved, or sent and not yet due',
    needs: [],
    async run(fixture) {
      const { ledger, end, send, take } = await benchOf(fixture);
      await end(call('done'), DONE);
      await end(call('failed'), REFUSED);
      await ledger.release((await send(call('released'))).lease, { attempts: 0, hold: false });
      await end(call('resolved'), DOUBT);
      const reason = 'looked it up';
      await ledger.resolve(call('resolved').operationId, {
        outcome: { state: 'completed', result: '{}' },
        by: 'mia',
        reason,
      });
      await send(call('under way'));
      await take(call('claimed', { deadlineInMs: 0 }));
      equal((await ledger.claim(call('next'))).kind, 'claimed');
    },
  },
  {
    id: 'ledger:quarantine-overdue',
    title: 'what is sent and past its caller’s deadline puts a repeat in quarantine, even while its lease lasts',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, send, advance } = await benchOf(fixture);
      await send(call('first', { deadlineInMs: SHORT_MS }));
      await advance(SHORT_MS + 1);
      deepEqual(await ledger.claim(call('second')), { kind: 'repeat', operationId: call('first').operationId });
    },
  },
  {
    id: 'ledger:quarantine-window',
    title: 'quarantine ends with its window',
    needs: ['clock'],
    async run(fixture) {
      const { ledger, end, advance } = await benchOf(fixture);
      await end(call('first'), DOUBT);
      await advance(SHORT_MS + 1);
      const within = (windowMs: number) => ({ quarantine: { session: 'session', windowMs } });
      equal((await ledger.claim(call('second', within(100 * SHORT_MS)))).kind, 'repeat');
      equal((await ledger.claim(call('second', within(SHORT_MS)))).kind, 'claimed');
    },
  },
  {
    id: 'ledger:quarantine-own',
    title: 'an operation is no repeat of itself: its owner’s repeated claim gets the lease again',
    needs: [],
    async run(fixture) {
      const { ledger, send } = await benchOf(fixture);
      const overdue = call('first', { state: 'sent', deadlineInMs: 0 });
      await send(overdue);
      equal((await ledger.claim(overdue)).kind, 'claimed');
    },
  },
];
