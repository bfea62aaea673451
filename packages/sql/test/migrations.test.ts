// Tables of an earlier version are brought up to date with what is in them, also after a process has ended amid that.
import type { Service } from '@mcp-tx/testing/services';
import { startMariadb, startPostgres } from '@mcp-tx/testing/services';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlLedger } from '../src/index.ts';
import { operationsOn } from '../src/remote/migrations/0001-operations.ts';
import { fewerWritesOn } from '../src/remote/migrations/0002-fewer-writes.ts';
import { openWith } from '../src/remote/sql-ledger-options.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { RemoteDatabase } from './support/remote.ts';
import { connectTo, newDatabase } from './support/remote.ts';

/** Who comes again is given what is theirs. */
const OWNER = { ownerToken: 'the owner' };

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

  const replayed = (name: string) => ({ kind: 'replay', record: { outcome: resultOf(name) } });

  /** A ledger with two results, as the first version would have left it. */
  async function ofFirstVersion(table: string): Promise<void> {
    const ledger = sqlLedger({ ...database.options, migrate: 'auto', table });
    for (const name of ['a', 'b', 'under way']) {
      const claim = await ledger.claim(requestOf(name, OWNER));
      if (claim.kind === 'claimed' && name !== 'under way') await ledger.settle(claim.lease, resultOf(name));
    }
    await ledger.close();
    const { db } = openWith({ ...database.options, table: `${table}_old` });
    await operationsOn(db as unknown as Kysely<unknown>, kind);
    const columns = (await database.query(`select * from ${table}_operations where state = 'sent'`))[0] ?? {};
    const names = Object.keys(columns).filter((name) => name !== 'result' && name !== 'id');
    const quoted = names.join(', ');
    await database.query(
      `insert into ${table}_old_operations (${quoted}) select ${quoted} from ${table}_operations order by id`,
    );
    await database.query(`insert into ${table}_old_results select old.id, own.result from ${table}_old_operations as old
      join ${table}_operations as own on own.operation_key = old.operation_key where own.result is not null`);
    await database.query(`create table ${table}_old_migrations as select * from ${table}_migrations where id = 1`);
  }

  it('results of the first version are replayed by this one, and what was under way goes on', async () => {
    await ofFirstVersion('one');
    const options = { ...database.options, table: 'one_old' };
    await expect(sqlLedger(options).stats({})).rejects.toMatchObject({ code: 'LEDGER_VERSION' });
    const ledger = sqlLedger({ ...options, migrate: 'auto' });
    for (const name of ['a', 'b']) expect(await ledger.claim(requestOf(name))).toMatchObject(replayed(name));
    const again = await ledger.claim(requestOf('under way', OWNER));
    if (again.kind !== 'claimed') throw new Error(again.kind);
    expect(await ledger.settle(again.lease, resultOf('under way'))).toBe(true);
    expect(await ledger.list({ states: ['completed'] })).toMatchObject({ records: { length: 3 } });
    expect(await sqlLedger(options).stats({})).toMatchObject({ total: 3 });
    await ledger.close();
  });

  it.runIf(kind === 'mysql')('a migration that was broken off is done to its end', async () => {
    await ofFirstVersion('two');
    const { db } = openWith({ ...database.options, table: 'two_old' });
    await database.query('alter table two_old_operations add column result longblob');
    await fewerWritesOn(db as unknown as Kysely<unknown>, kind, { table: 'two_old', schema: undefined }); // and nobody wrote that it was done
    const ledger = sqlLedger({ ...database.options, migrate: 'auto', table: 'two_old' });
    for (const name of ['a', 'b']) expect(await ledger.claim(requestOf(name))).toMatchObject(replayed(name));
    await ledger.close();
  });
});
