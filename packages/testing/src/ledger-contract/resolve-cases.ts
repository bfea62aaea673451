/** Cases of `resolve`: who may end a doubt, and what a late answer can still change. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Outcome, Resolution } from '@mcp-tx/core/ledger';
import type { LedgerCase } from './fixture.ts';
import { benchOf, claimRequestOf, DONE, DOUBT, OTHER, REFUSED } from './requests.ts';

type Verdict = Resolution['outcome'];
const verdict = (outcome: Outcome): Verdict => outcome as Verdict;
const late = (outcome: Outcome): Resolution => ({
  outcome: verdict(outcome),
  by: 'late-answer',
  reason: 'it came after all',
});
const operator = (outcome: Outcome): Resolution => ({ outcome: verdict(outcome), by: 'mia', reason: 'looked it up' });

export const resolveCases: readonly LedgerCase[] = [
  {
    id: 'ledger:resolve',
    title: 'a doubt is ended by a named resolution, with an audit line, and replayed from then on [G:I9]',
    needs: [],
    async run(fixture) {
      const { ledger, end, raw } = await benchOf(fixture);
      for (const [n, resolution] of [operator(DONE), operator(REFUSED), late(DONE)].entries()) {
        const request = claimRequestOf(`a ${n}`);
        await end(request, DOUBT);
        const answer = await ledger.resolve(request.operationId, resolution);
        ok(answer.kind === 'resolved');
        deepEqual([answer.record.outcome, answer.record.resolvedBy], [resolution.outcome, resolution.by]);
        equal((await raw(request)).state, resolution.outcome.state);
        const claim = await ledger.claim(claimRequestOf(`a ${n}`));
        ok(claim.kind === 'replay');
        deepEqual([claim.record.outcome, claim.record.resolvedBy], [resolution.outcome, resolution.by]);
        const [line, ...more] = await ledger.audit(request.operationId);
        equal(more.length, 0);
        deepEqual(
          [line?.operationId, line?.by, line?.action, line?.state, line?.reason],
          [request.operationId, resolution.by, 'resolved', resolution.outcome.state, resolution.reason],
        );
        ok(line?.at !== undefined && line.at >= answer.record.createdAt);
      }
    },
  },
  {
    id: 'ledger:resolve-late-answer',
    title: 'a late answer ends what is still sent, without a lease; the owner’s own settle then only agrees',
    needs: [],
    async run(fixture) {
      const { ledger, send, raw } = await benchOf(fixture);
      const { lease } = await send(claimRequestOf('a'));
      equal((await ledger.resolve(lease.operationId, late(DONE))).kind, 'resolved');
      equal((await raw(claimRequestOf('a'))).state, 'completed');
      equal(await ledger.settle(lease, OTHER), false);
      equal(await ledger.settle(lease, DONE), true);
    },
  },
  {
    id: 'ledger:resolve-open',
    title: 'what is not in doubt is resolved by nobody, nor is what was never sent by a late answer',
    needs: [],
    async run(fixture) {
      const { ledger, take, send, raw } = await benchOf(fixture);
      await take(claimRequestOf('claimed'));
      await send(claimRequestOf('sent'));
      for (const resolution of [operator(DONE), operator(REFUSED)]) {
        equal((await ledger.resolve(claimRequestOf('claimed').operationId, resolution)).kind, 'not_in_doubt');
        equal((await ledger.resolve(claimRequestOf('sent').operationId, resolution)).kind, 'not_in_doubt');
      }
      equal((await ledger.resolve(claimRequestOf('claimed').operationId, late(DONE))).kind, 'not_in_doubt');
      deepEqual(
        [(await raw(claimRequestOf('claimed'))).state, (await raw(claimRequestOf('sent'))).state],
        ['claimed', 'sent'],
      );
      deepEqual(await ledger.audit(claimRequestOf('sent').operationId), []);
    },
  },
  {
    id: 'ledger:resolve-already',
    title: 'the same end again is already so; failures are the same whatever their words, results only when equal',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      const worded: Outcome = { state: 'failed', error: { code: 'REJECTED', message: 'in other words' } };
      await end(claimRequestOf('done'), DONE);
      await end(claimRequestOf('failed'), REFUSED);
      for (const resolve of [late, operator]) {
        equal((await ledger.resolve(claimRequestOf('done').operationId, resolve(DONE))).kind, 'already');
        equal((await ledger.resolve(claimRequestOf('failed').operationId, resolve(worded))).kind, 'already');
      }
      deepEqual((await ledger.find(claimRequestOf('failed').operationId))?.outcome, REFUSED);
      deepEqual(await ledger.audit(claimRequestOf('done').operationId), []);
    },
  },
  {
    id: 'ledger:resolve-contradicted',
    title: 'a late answer that contradicts the end overwrites nothing: it flags the record and leaves one audit line',
    needs: [],
    async run(fixture) {
      const { ledger, end, raw } = await benchOf(fixture);
      const ends: readonly (readonly [Outcome, Outcome])[] = [
        [REFUSED, DONE],
        [DONE, REFUSED],
        [DONE, OTHER],
      ];
      for (const [n, [stands, comes]] of ends.entries()) {
        const request = claimRequestOf(`a ${n}`);
        await end(request, DOUBT);
        await ledger.resolve(request.operationId, operator(stands));
        for (let again = 0; again < 2; again += 1) {
          const answer = await ledger.resolve(request.operationId, late(comes));
          ok(answer.kind === 'contradicted');
          deepEqual(
            [answer.record.outcome, answer.record.resolvedBy, answer.record.contradicted],
            [stands, 'mia', true],
          );
        }
        equal((await raw(request)).state, stands.state);
        const lines = await ledger.audit(request.operationId);
        deepEqual(
          lines.map((line) => [line.action, line.by, line.state]),
          [
            ['resolved', 'mia', stands.state],
            ['contradicted', 'late-answer', comes.state],
          ],
        );
      }
      equal((await ledger.list({ contradicted: true })).records.length, ends.length);
      equal((await ledger.stats({})).contradicted, ends.length);
    },
  },
  {
    id: 'ledger:resolve-only-doubt',
    title: 'an operator cannot overturn an end that stands, and flags nothing by trying',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      await end(claimRequestOf('a'), DONE);
      const answer = await ledger.resolve(claimRequestOf('a').operationId, operator(REFUSED));
      ok(answer.kind === 'not_in_doubt');
      deepEqual([answer.record.outcome, answer.record.contradicted], [DONE, false]);
      deepEqual(await ledger.audit(claimRequestOf('a').operationId), []);
    },
  },
  {
    id: 'ledger:resolve-race',
    title: 'of two operators who resolve at once one is heard, and one line is written',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      for (let n = 0; n < 4; n += 1) {
        const { operationId } = claimRequestOf(`a ${n}`);
        await end(claimRequestOf(`a ${n}`), DOUBT);
        const answers = await Promise.all(
          [operator(DONE), operator(REFUSED)].map((one) => ledger.resolve(operationId, one)),
        );
        deepEqual(answers.map((answer) => answer.kind).sort(), ['not_in_doubt', 'resolved']);
        equal((await ledger.audit(operationId)).length, 1);
      }
    },
  },
  {
    id: 'ledger:resolve-not-found',
    title: 'an operation that is not there cannot be resolved, and has neither record nor audit',
    needs: [],
    async run(fixture) {
      const { ledger } = await benchOf(fixture);
      for (const operationId of [
        claimRequestOf('never').operationId,
        'op_',
        '',
        'no id at all',
        `op_${'é'.repeat(26)}`,
      ]) {
        deepEqual(await ledger.resolve(operationId, late(DONE)), { kind: 'not_found' });
        equal(await ledger.find(operationId), undefined);
        deepEqual(await ledger.audit(operationId), []);
      }
    },
  },
];
