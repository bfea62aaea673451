/** Cases of what a record holds: every field, and every kind of text, as it was given. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { LedgerCase } from './fixture.ts';
import { benchOf, claimRequestOf, DONE, keylessOf } from './requests.ts';

const TEXTS: readonly (readonly [string, string])[] = [
  ['every plane of Unicode', '"日本語 العربية 👩‍👩‍👧‍👦 e\u0301 \uFFFD \uFEFF \u2028 \u{10FFFF}"'],
  ['NUL and other controls', '"a\0b\0\0 \u0001\u001f\u007f\u0080"'],
  ['the empty text', ''],
  ['quotes and what looks like SQL, globs or templates', `"'; DROP TABLE x; -- \${1} %s \\ * ? [a]"`],
  ['JSON that parsing and writing would change', '{"b":1.0,"a":1e400,"a":-0,"n":12345678901234567890,"u":"\\u00e9"}'],
  ['1 MiB', JSON.stringify('x'.repeat(1_048_576))],
  ['1 MiB of three-byte characters', JSON.stringify('語'.repeat(349_525))],
];

export const recordCases: readonly LedgerCase[] = [
  {
    // T18
    id: 'ledger:record-texts',
    title: 'results and arguments come back the same to the byte, whatever is in them [G:I2]',
    needs: [],
    async run(fixture) {
      const { ledger, end, raw } = await benchOf(fixture);
      for (const [what, text] of TEXTS) {
        const request = claimRequestOf(what, { arguments: text });
        await end(request, { state: 'completed', result: text });
        const claim = await ledger.claim(claimRequestOf(what));
        ok(claim.kind === 'replay', what);
        ok(claim.record.outcome?.state === 'completed' && claim.record.outcome.result === text, what);
        ok(claim.record.arguments === text, what);
        ok((await raw(request)).result === text, what);
      }
    },
  },
  {
    id: 'ledger:record-names',
    title: 'keys, scopes, servers, tools and messages come back as they were given',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      for (const [what, text] of TEXTS) {
        const name = text.slice(0, 200);
        const given = { scope: name, serverName: name, tool: name, idempotencyKey: name, fingerprint: name };
        const error = { code: 'REJECTED', message: name, serverData: { [name]: name } } as const;
        await end(claimRequestOf(what, given), { state: 'failed', error });
        const record = await ledger.find(claimRequestOf(what).operationId);
        deepEqual({ ...record, ...given }, record, what);
        deepEqual(record?.outcome, { state: 'failed', error }, what);
      }
    },
  },
  {
    id: 'ledger:record-fields',
    title: 'a record tells everything that its claim said, and nothing that nobody said',
    needs: [],
    async run(fixture) {
      const { ledger, take, now } = await benchOf(fixture);
      const from = await now();
      const full = claimRequestOf('full', { state: 'sent', arguments: '{"a":1}', leaseMs: 5_000 });
      const { lease } = await take(full);
      const record = await ledger.find(full.operationId);
      const until = await now();
      const { ownerToken: _, leaseMs, maxAttempts, retentionMs: __, deadlineInMs, ...said } = full;
      ok(record?.sentAt !== undefined && record.createdAt >= from && record.createdAt <= until);
      deepEqual(record, {
        ...said,
        attempts: 1,
        attemptLimit: maxAttempts,
        fence: lease.fence,
        leaseUntil: record.createdAt + leaseMs,
        deadlineAt: record.createdAt + deadlineInMs,
        createdAt: record.createdAt,
        sentAt: record.sentAt,
        contradicted: false,
      });
      const { fingerprint: ___, ...bare } = keylessOf('bare');
      await take(bare);
      const absent = ['idempotencyKey', 'fingerprint', 'arguments', 'sentAt', 'endedAt', 'outcome', 'resolvedBy'];
      const told = Object.keys((await ledger.find(bare.operationId)) ?? {});
      deepEqual(
        told.filter((name) => absent.includes(name)),
        [],
      );
    },
  },
  {
    id: 'ledger:record-same-everywhere',
    title: 'find, list, claim and resolve hand out the same record',
    needs: [],
    async run(fixture) {
      const { ledger, end } = await benchOf(fixture);
      const request = claimRequestOf('a', { arguments: '{}' });
      await end(request, DONE);
      const record = await ledger.find(request.operationId);
      const claim = await ledger.claim(claimRequestOf('a'));
      const already = await ledger.resolve(request.operationId, {
        outcome: { state: 'completed', result: DONE.state === 'completed' ? (DONE.result ?? '') : '' },
        by: 'mia',
        reason: 'to see the record',
      });
      deepEqual((await ledger.list({})).records, [record]);
      deepEqual(claim, { kind: 'replay', record });
      deepEqual(already, { kind: 'already', record });
      equal(record?.attempts, 1);
    },
  },
];
