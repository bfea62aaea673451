/** Cases of the read side: lists, filters, pages and counts. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import type { ListQuery } from '@mcp-tx/core/ledger';
import { isLedgerReader, isMcpTxError } from '@mcp-tx/core/ledger';
import type { LedgerCase, ReadableLedger } from './fixture.ts';
import { benchOf, claimRequestOf, DONE, DOUBT, keylessOf, REFUSED } from './requests.ts';

async function namesOf(ledger: ReadableLedger, query: ListQuery): Promise<string[]> {
  return (await ledger.list(query)).records.map((record) => record.idempotencyKey ?? 'keyless');
}

export const readerCases: readonly LedgerCase[] = [
  {
    id: 'ledger:list',
    title: 'every accepted operation is listed, newest first [G:I3]',
    needs: [],
    async run(fixture) {
      const { ledger, take, send, end } = await benchOf(fixture);
      ok(isLedgerReader(ledger));
      await take(claimRequestOf('claimed'));
      await send(claimRequestOf('sent'));
      await end(claimRequestOf('done'), DONE);
      await end(keylessOf('no key'), DONE);
      await end(claimRequestOf('failed'), REFUSED);
      await end(claimRequestOf('doubt'), DOUBT);
      await ledger.release((await send(claimRequestOf('released'))).lease, { attempts: 0, hold: false });
      await ledger.claim(claimRequestOf('done', { fingerprint: 'a conflict is no operation' }));
      deepEqual(await namesOf(ledger, {}), ['released', 'doubt', 'failed', 'keyless', 'done', 'sent', 'claimed']);
    },
  },
  {
    id: 'ledger:list-pages',
    title: 'pages follow each other without gap or repeat, also while operations come and change',
    needs: [],
    async run(fixture) {
      const { ledger, take, send } = await benchOf(fixture);
      const names = Array.from({ length: 25 }, (_, n) => `op ${n}`);
      for (const name of names) await take(claimRequestOf(name));
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.list({ limit: 7, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.records.map((record) => record.idempotencyKey ?? ''));
        cursor = page.cursor;
        await send(claimRequestOf(`newcomer ${seen.length}`));
      } while (cursor !== undefined);
      deepEqual(seen, names.reverse());
      equal((await ledger.list({ limit: 100 })).cursor, undefined);
    },
  },
  {
    id: 'ledger:list-default-limit',
    title: 'a page holds 100 records unless told otherwise; a full last page has no successor',
    needs: [],
    async run(fixture) {
      const { ledger } = await benchOf(fixture);
      await Promise.all(Array.from({ length: 101 }, (_, n) => ledger.claim(claimRequestOf(`op ${n}`))));
      const first = await ledger.list({});
      equal(first.records.length, 100);
      const second = await ledger.list(first.cursor === undefined ? {} : { cursor: first.cursor });
      deepEqual([second.records.length, second.cursor], [1, undefined]);
      const whole = await ledger.list({ limit: 101 });
      deepEqual([whole.records.length, whole.cursor], [101, undefined]);
    },
  },
  {
    id: 'ledger:list-filters',
    title: 'filters narrow lists and counts alike, and combine',
    needs: [],
    async run(fixture) {
      const { ledger, take, end } = await benchOf(fixture);
      await take(claimRequestOf('plain'));
      await end(claimRequestOf('scoped', { scope: 'tenant-7' }), DONE);
      await end(claimRequestOf('served', { serverName: 'files' }), DONE);
      await end(claimRequestOf('tooled', { tool: 'refund' }), REFUSED);
      await end(claimRequestOf('both', { scope: 'tenant-7', tool: 'refund' }), DOUBT);
      const expected: readonly (readonly [ListQuery, readonly string[]])[] = [
        [{ scope: 'tenant-7' }, ['both', 'scoped']],
        [{ serverName: 'files' }, ['served']],
        [{ tool: 'refund' }, ['both', 'tooled']],
        [{ scope: 'tenant-7', tool: 'refund' }, ['both']],
        [{ states: ['completed', 'failed'] }, ['tooled', 'served', 'scoped']],
        [{ states: ['completed'], scope: 'default' }, ['served']],
        [{ states: [] }, []],
        [{ contradicted: true }, []],
        [{ contradicted: false, tool: 'charge', serverName: 'payments', scope: 'default' }, ['plain']],
        [{ scope: 'Tenant-7' }, []],
      ];
      for (const [query, names] of expected) {
        deepEqual(await namesOf(ledger, query), names, JSON.stringify(query));
        equal((await ledger.stats(query)).total, names.length, JSON.stringify(query));
      }
    },
  },
  {
    id: 'ledger:list-bad-query',
    title: 'a limit outside 1 to 1,000 and a cursor that no page gave are refused by name',
    needs: [],
    async run(fixture) {
      const { ledger } = await benchOf(fixture);
      const refusal = (name: string) => (error: unknown) =>
        isMcpTxError(error) && error.code === 'CALL_INVALID' && error.message.includes(name);
      for (const limit of [0, -1, 1_001, 1.5, Number.NaN]) await rejects(ledger.list({ limit }), refusal('limit'));
      for (const cursor of ['', 'x', '1; DROP TABLE x', '-1', '9'.repeat(99)])
        await rejects(ledger.list({ cursor }), refusal('cursor'));
    },
  },
  {
    id: 'ledger:stats',
    title: 'counts name every state, also those without a record',
    needs: [],
    async run(fixture) {
      const { ledger, take, send, end } = await benchOf(fixture);
      const none = { claimed: 0, sent: 0, completed: 0, failed: 0, in_doubt: 0 };
      deepEqual(await ledger.stats({}), { byState: none, contradicted: 0, total: 0 });
      await take(claimRequestOf('a'));
      for (let n = 0; n < 2; n += 1) await send(claimRequestOf(`b ${n}`));
      for (let n = 0; n < 3; n += 1) await end(claimRequestOf(`c ${n}`), DONE);
      await end(claimRequestOf('d'), DOUBT);
      const byState = { claimed: 1, sent: 2, completed: 3, failed: 0, in_doubt: 1 };
      deepEqual(await ledger.stats({}), { byState, contradicted: 0, total: 7 });
    },
  },
];
