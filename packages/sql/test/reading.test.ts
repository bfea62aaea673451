// Looking at the file's tables with Kysely, and at the view made for people.
import { afterEach, beforeEach, expect, expectTypeOf, test } from 'vitest';
import type { OperationsTable, SqliteLedger } from '../src/sqlite.ts';
import { sqliteLedger } from '../src/sqlite.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { TemporaryFolder } from './support/temporary-file.ts';
import { temporaryFolder } from './support/temporary-file.ts';

let folder: TemporaryFolder;
let ledger: SqliteLedger;
beforeEach(async () => {
  folder = await temporaryFolder();
  ledger = sqliteLedger(folder.at('ledger.db'));
});
afterEach(async () => {
  await ledger.close();
  await folder.remove();
});

async function complete(name: string): Promise<void> {
  const claim = await ledger.claim(requestOf(name, { requestId: `request of ${name}`, arguments: '{"amount":100}' }));
  if (claim.kind === 'claimed') await ledger.settle(claim.lease, resultOf(name));
}

test('the tables are typed, and show each write at once', async () => {
  await complete('a');
  await ledger.claim(requestOf('b'));
  const rows = await ledger.db.selectFrom('mcp_tx_operations').select(['state', 'attempts']).orderBy('id').execute();
  expectTypeOf(rows).toEqualTypeOf<{ state: OperationsTable['state']; attempts: number }[]>();
  expect(rows).toEqual([
    { state: 'completed', attempts: 1 },
    { state: 'sent', attempts: 1 },
  ]);
});

test('the view for people has one line for each call', async () => {
  await complete('a');
  expect(await ledger.db.selectFrom('mcp_tx_calls').selectAll().executeTakeFirstOrThrow()).toMatchObject({
    request_id: 'request of a',
    tool: 'charge',
    arguments: '{"amount":100}',
    idempotency_key: 'a',
    attempts: 1,
    state: 'completed',
    result: resultOf('a').result,
    created_at: expect.any(Number),
    ended_at: expect.any(Number),
  });
});

test('it is for looking only: a write is refused, by the types and by SQLite', async () => {
  await complete('a');
  // @ts-expect-error a read-only Kysely cannot delete
  const deletion: { execute(): Promise<unknown> } = ledger.db.deleteFrom('mcp_tx_operations');
  await expect(deletion.execute()).rejects.toThrow(/readonly/);
  expect((await ledger.stats({})).total).toBe(1);
});

test('a closed ledger closes its reading too', async () => {
  await ledger.list({});
  await ledger.close();
  await expect(ledger.db.selectFrom('mcp_tx_operations').selectAll().execute()).rejects.toThrow();
});
