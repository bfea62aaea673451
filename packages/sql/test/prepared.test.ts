// Statements that PostgreSQL plans once: which they are, and that several ledgers on one pool do not get in each other's way.
import type { Service } from '@mcp-tx/testing/services';
import { startPostgres } from '@mcp-tx/testing/services';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sqlLedger } from '../src/index.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { RemoteDatabase } from './support/remote.ts';
import { connectTo, newDatabase } from './support/remote.ts';

let service: Service;
beforeAll(async () => {
  service = await startPostgres();
}, 60_000);
afterAll(() => service.stop());

/** One connection, so that what is prepared can be asked for. */
const connect = async (): Promise<RemoteDatabase> =>
  connectTo('postgres', service.port, await newDatabase('postgres', service), 1);

async function call(database: RemoteDatabase, options: object, name: string): Promise<void> {
  const ledger = sqlLedger({ ...database.options, migrate: 'auto', ...options });
  const claim = await ledger.claim(requestOf(name));
  if (claim.kind !== 'claimed') throw new Error(claim.kind);
  expect(await ledger.settle(claim.lease, resultOf(name))).toBe(true);
  await ledger.close();
}

const prepared = (database: RemoteDatabase) => database.query('select name, statement from pg_prepared_statements');

it('claims and ends are, whatever the tables are called, and nothing of anybody else', async () => {
  const database = await connect();
  await call(database, {}, 'a');
  const own = await prepared(database);
  expect(own).toHaveLength(2);
  for (let n = 0; n < 10; n += 1) {
    await call(database, {}, `b ${n}`);
    await call(database, { table: 'other' }, `b ${n}`);
  }
  const all = await prepared(database);
  expect(all).toHaveLength(4);
  expect(all.every(({ name }) => /^mcp_tx_[0-9a-f]{24}$/.test(String(name)))).toBe(true);
  expect(all.filter(({ statement }) => String(statement).includes('other_operations'))).toHaveLength(2);
  await database.end();
});

it('a statement that was planned while the table was small is planned anew as it grows', async () => {
  const database = await connect();
  const ledger = sqlLedger({ ...database.options, migrate: 'auto' });
  for (let round = 0; round < 70; round += 1) {
    const names = Array.from({ length: 30 }, (_, n) => `${round}, ${n}`);
    const claims = await Promise.all(names.map((name) => ledger.claim(requestOf(name))));
    await Promise.all(
      claims.map((claim, n) => claim.kind === 'claimed' && ledger.settle(claim.lease, resultOf(names[n] ?? ''))),
    );
  }
  const [last] = await database.query(
    "select name from pg_prepared_statements where statement like '%mcp_tx_operations set state%unnest%' order by prepare_time desc limit 1",
  );
  const plan = await database.query(`explain execute ${String(last?.name)} ('{1}', 1, '{t}', 'completed', null, '{}')`);
  const text = plan.map((line) => line['QUERY PLAN']).join('\n');
  expect(text).toContain('mcp_tx_operations_pkey');
  expect(text).not.toContain('Seq Scan');
  await ledger.close();
  await database.end();
});

it('none are with prepare: false', async () => {
  const database = await connect();
  await call(database, { prepare: false }, 'a');
  expect(await prepared(database)).toEqual([]);
  await database.end();
});

it('[T20] a connection that was ended while idle does no harm, and one that has lost its statements gets them anew', async () => {
  const database = await connect();
  await call(database, {}, 'a');
  const backend = connectTo('postgres', service.port, 'postgres', 1);
  await backend.query("select pg_terminate_backend(pid) from pg_stat_activity where datname like 'ledger_%'");
  await expect
    .poll(() =>
      call(database, {}, `b ${Math.random()}`).then(
        () => 'done',
        () => 'not yet',
      ),
    )
    .toBe('done');
  expect((await prepared(database)).length).toBeGreaterThanOrEqual(2);
  await backend.end();
  await database.end();
});
