// Names of tables and schemas: what may be a name, and that two ledgers in one database never meet.
import { DatabaseSync } from 'node:sqlite';
import type { Ledger, LedgerReader, Outcome, TransactionalLedger } from '@mcp-tx/core/ledger';
import type { Service } from '@mcp-tx/testing/services';
import { startMariadb, startPostgres } from '@mcp-tx/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlLedger } from '../src/index.ts';
import type { SqliteTransaction } from '../src/sqlite.ts';
import { sqliteLedger } from '../src/sqlite.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { RemoteDatabase } from './support/remote.ts';
import { connectTo, newDatabase } from './support/remote.ts';
import { temporaryFolder } from './support/temporary-file.ts';

/** Goes through every kind of statement; the operation of that name must be new. */
async function useAll(ledger: Ledger & LedgerReader, own: string): Promise<void> {
  const request = requestOf('order:1', { tool: own, state: 'claimed', leaseMs: 1 });
  const first = await ledger.claim(request);
  if (first.kind !== 'claimed') throw new Error(first.kind);
  await ledger.markSent(first.lease, 1);
  await ledger.settle(first.lease, { state: 'in_doubt', reason: 'timeout' });
  await ledger.resolve(request.operationId, { outcome: resultOf(own) as never, by: own, reason: 'it did' });
  expect(await ledger.claim(request)).toMatchObject({ kind: 'replay', record: { tool: own, resolvedBy: own } });
  expect(await ledger.audit(request.operationId)).toMatchObject([{ by: own }]);
  expect(await ledger.list({})).toMatchObject({ records: [{ tool: own }] });
  const many = Array.from({ length: 5 }, (_, n) => requestOf(`many:${n}`));
  const claims = await Promise.all(many.map((one) => ledger.claim(one)));
  await Promise.all(claims.map((claim) => (claim.kind === 'claimed' ? ledger.settle(claim.lease, resultOf(own)) : 0)));
  expect(await ledger.stats({ states: ['completed'] })).toMatchObject({ total: 6 });
  const last = await ledger.claim(requestOf('last', { state: 'claimed' }));
  if (last.kind !== 'claimed') throw new Error(last.kind);
  expect(await ledger.renewAll([last.lease])).toEqual([true]);
  expect(await ledger.release(last.lease, { attempts: 0, hold: false })).toBe(true);
  expect(await ledger.sweep(10)).toEqual([]);
  expect(await ledger.purge(Date.now() + 7_200_000, 2)).toBe(2);
}

const BAD = [
  '',
  'Calls',
  '1st',
  'a-b',
  'a b',
  'a"b',
  'a`b',
  "a'b",
  'a.b',
  'a;drop table x',
  'a'.repeat(41),
  'é',
  7,
  null,
];

describe.each(['postgres', 'mysql'] as const)('on %s', (kind) => {
  let service: Service;
  let database: RemoteDatabase;
  beforeAll(async () => {
    service = await (kind === 'postgres' ? startPostgres : startMariadb)();
    database = connectTo(kind, service.port, await newDatabase(kind, service));
  }, 60_000);
  afterAll(async () => {
    await database.end();
    await service.stop();
  });

  it('three ledgers in one database keep the same operation each for itself', async () => {
    const { pool } = database.options;
    const names = [{}, { table: 'other_tx' }, { table: 'other_tx', schema: `Else-${kind}` }];
    const ledgers = names.map((own) => sqlLedger({ pool, migrate: 'auto', ...own }));
    for (const [n, ledger] of ledgers.entries()) await useAll(ledger, `tool ${n}`);
    for (const [n, ledger] of ledgers.entries()) {
      const rows = await ledger.db.selectFrom('mcp_tx_operations').select('state').where('tombstone', '=', 1).execute();
      expect([n, rows.length]).toEqual([n, 2]); // typed for Kysely, whatever the tables are called
      const checked = sqlLedger({ pool, ...names[n] });
      expect((await checked.find(requestOf('last').operationId))?.state).toBe('claimed');
    }
    const found = await database.query(
      `select table_schema as s, table_name as t from information_schema.tables
        where table_name in ('mcp_tx_operations', 'other_tx_operations')`,
    );
    const there = found.map(({ s, t }) => `${String(s)}.${String(t)}`).sort();
    expect(there.length).toBe(3);
    expect(there[0]).toBe(`Else-${kind}.other_tx_operations`);
  });

  it('the read side gives what its types say: numbers, texts and bytes', async () => {
    const ledger = sqlLedger({ ...database.options, migrate: 'auto', table: 'typed' });
    const claim = await ledger.claim(requestOf('a', { tool: 'zero \0 é', state: 'sent' }));
    if (claim.kind === 'claimed') await ledger.settle(claim.lease, resultOf('a'));
    const [row] = await ledger.db
      .selectFrom('mcp_tx_operations')
      .selectAll()
      .where('state', '=', 'completed')
      .execute();
    expect(row).toMatchObject({
      state: 'completed',
      tool: 'zero \0 é',
      attempts: 1,
      fence: 1,
      retention_ms: 3_600_000,
    });
    expect(row?.result).toBe(resultOf('a').result);
    expect(Math.abs((row?.created_at ?? 0) - Date.now())).toBeLessThan(30_000);
    expect(row?.operation_key).toBeInstanceOf(Uint8Array);
    await ledger.close();
  });

  it('a transaction of a tool ends the operation of its own ledger', async () => {
    const ledger = sqlLedger({ ...database.options, migrate: 'auto', table: 'third' });
    const claim = await ledger.claim(requestOf('a', { state: 'claimed' }));
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    expect(await ledger.transaction(claim.lease, async () => resultOf('a'))).toBe(true);
    expect(await database.query('select state from third_operations')).toHaveLength(1);
  });

  it('tables that are not there are LEDGER_VERSION, as with the usual names', async () => {
    for (const own of [{ table: 'nowhere' }, { schema: 'nowhere' }]) {
      const ledger = sqlLedger({ ...database.options, ...own });
      await expect(ledger.stats({})).rejects.toMatchObject({ code: 'LEDGER_VERSION' });
    }
  });

  it.each(BAD)('%j is no name of a table', (table) => {
    const refused = expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('table') });
    expect(() => sqlLedger({ ...database.options, table: table as never })).toThrow(refused);
  });

  it.each(['', 'a b', 'a"b', 'a`b', 'a.b', "a'b", 'é', 'a'.repeat(64), 7])('%j is no name of a schema', (schema) => {
    const refused = expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('schema') });
    expect(() => sqlLedger({ ...database.options, schema: schema as never })).toThrow(refused);
  });
});

describe('in a file', () => {
  it('two ledgers keep the same operation each for itself', async () => {
    const folder = await temporaryFolder();
    const path = folder.at('two.db');
    {
      await using one = sqliteLedger(path);
      await using other = sqliteLedger(path, { table: 'other_tx' });
      await useAll(one, 'one');
      await useAll(other, 'other');
      const rows = await other.db.selectFrom('mcp_tx_calls').select('tool').execute();
      expect(rows.map(({ tool }) => tool)).not.toContain('one');
      await endIn(other);
    }
    const eyes = new DatabaseSync(path);
    const tables = eyes.prepare("select name from sqlite_schema where name like '%operations'").all();
    expect(tables.map(({ name }) => name)).toEqual(['mcp_tx_operations', 'other_tx_operations']);
    eyes.close();
    await folder.remove();
  });

  it.each(BAD)('%j is no name', (table) => {
    expect(() => sqliteLedger(':memory:', { table: table as never })).toThrow('sqliteLedger: table');
  });
});

async function endIn(ledger: TransactionalLedger<SqliteTransaction>): Promise<void> {
  const claim = await ledger.claim(requestOf('transaction', { state: 'claimed' }));
  if (claim.kind !== 'claimed') throw new Error(claim.kind);
  const end = async (db: SqliteTransaction): Promise<Outcome> => {
    db.exec('create table effects (id integer)');
    return resultOf('transaction');
  };
  expect(await ledger.transaction(claim.lease, end)).toBe(true);
}
