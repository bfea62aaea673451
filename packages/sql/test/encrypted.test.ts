// An encrypted ledger on every kind of database: what the tables hold is looked at by statements of the test.
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { EnrollingLedger, Ledger, Outcome, TransactionalLedger } from '@mcp-tx/core/ledger';
import { encryptedLedger, enroll, isEnrollingLedger, isTransactionalLedger } from '@mcp-tx/core/ledger';
import { startMariadb, startPostgres } from '@mcp-tx/testing/services';
import { expect, it } from 'vitest';
import { sqliteLedger } from '../src/sqlite.ts';
import { requestOf } from './support/operations.ts';
import { connectTo, newDatabase, openLedger } from './support/remote.ts';
import { temporaryFolder } from './support/temporary-file.ts';

const CANARY = 'sk-canary-4711';
const DONE: Outcome = { state: 'completed', result: JSON.stringify({ text: `${CANARY} \0 \u{1F4B6}` }) };
const keys = [{ id: 'k1', key: randomBytes(32) }];
type Whole = TransactionalLedger & EnrollingLedger;

async function useAll(inner: Ledger, enrolling: (act: (transaction: unknown) => Promise<unknown>) => Promise<void>) {
  const ledger = encryptedLedger(inner as Whole, { keys });
  expect([isTransactionalLedger(ledger), isEnrollingLedger(ledger)]).toEqual([true, true]);
  const stored = { arguments: JSON.stringify({ card: CANARY }) };
  const [one, other] = [
    await ledger.claim(requestOf('a', stored)),
    await ledger.claim(requestOf('b', { ...stored, state: 'claimed' })),
  ];
  if (one.kind !== 'claimed' || other.kind !== 'claimed') throw new Error(`${one.kind}, ${other.kind}`);
  expect([await ledger.settle(one.lease, DONE), await ledger.settle(one.lease, DONE)]).toEqual([true, true]);
  expect(await ledger.transaction(other.lease, async () => DONE)).toBe(true);
  for (const name of ['a', 'b'])
    expect(await ledger.claim(requestOf(name))).toMatchObject({ kind: 'replay', record: { outcome: DONE, ...stored } });
  const intent = { server: 'payments', tool: 'charge', arguments: { card: CANARY }, idempotencyKey: 'c' };
  await enrolling((transaction) => enroll(ledger, transaction, intent));
  expect(await ledger.sweep(10)).toMatchObject([{ action: 'runnable', record: stored }]);
}

it.each(['postgres', 'mysql'] as const)(
  'on %s',
  async (kind) => {
    const service = await (kind === 'postgres' ? startPostgres : startMariadb)();
    const database = connectTo(kind, service.port, await newDatabase(kind, service));
    await useAll(openLedger(database), async (act) => {
      const { connection, free } = await database.connect();
      await connection.query('begin');
      await act(connection);
      await connection.query('commit');
      free();
    });
    const rows = await database.query('select * from mcp_tx_operations');
    expect(rows).toHaveLength(3);
    const texts = rows.flatMap((row) => Object.values(row).map(String));
    expect(texts.filter((text) => text.includes(CANARY))).toEqual([]);
    expect(texts.filter((text) => text.startsWith('mcp-tx-sealed-1.k1.'))).toHaveLength(5);
    await database.end();
    await service.stop();
  },
  60_000,
);

it('in a file', async () => {
  const folder = await temporaryFolder();
  const path = folder.at('sealed.db');
  await using ledger = sqliteLedger(path);
  const own = new DatabaseSync(path);
  await useAll(ledger, async (act) => {
    own.exec('begin immediate');
    await act(own);
    own.exec('commit');
  });
  const texts = own
    .prepare('select arguments, result from mcp_tx_operations left join mcp_tx_results on operation = id')
    .all();
  expect(
    texts.flatMap((row) => Object.values(row)).filter((text) => String(text).startsWith('mcp-tx-sealed-1.k1.')),
  ).toHaveLength(5);
  expect(JSON.stringify(texts)).not.toContain(CANARY);
  own.close();
  await folder.remove();
});
