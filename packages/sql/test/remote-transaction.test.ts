// Transactions on database servers that hold a tool's own writes and the end of its operation. What is committed is looked at
// through connections of the test.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease, Outcome } from '@mcp-tx/core/ledger';
import { isTransactionalLedger } from '@mcp-tx/core/ledger';
import type { Service } from '@mcp-tx/testing/services';
import { startMariadb, startPostgres } from '@mcp-tx/testing/services';
import type { Generated } from 'kysely';
import { CamelCasePlugin, Kysely, MysqlDialect, PostgresDialect } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SqlLedger, SqlLedgerOptions, SqlTransaction } from '../src/index.ts';
import { sqlLedger } from '../src/index.ts';
import { requestOf } from './support/operations.ts';
import type { Kind, RemoteDatabase } from './support/remote.ts';
import { connectTo, newDatabase } from './support/remote.ts';

interface Tables {
  readonly charges: { readonly id: Generated<number>; readonly name: string };
}

const DONE: Outcome = { state: 'completed', result: '{"content":[]}', exactlyOnce: true };
const INSERT = "insert into charges (name) values ('a')";
const starts = { postgres: startPostgres, mysql: startMariadb } as const;

describe.each(['postgres', 'mysql'] as const)('on %s', (kind: Kind) => {
  let service: Service;
  let name: string;
  let database: RemoteDatabase;
  let eyes: RemoteDatabase;
  let ledger: SqlLedger;
  const ledgerWith = (options: SqlLedgerOptions = {}): SqlLedger =>
    sqlLedger({ ...database.options, migrate: 'auto', transactionTimeoutMs: 400, ...options });
  beforeAll(async () => {
    service = await starts[kind]();
    name = await newDatabase(kind, service);
    database = connectTo(kind, service.port, name);
    eyes = connectTo(kind, service.port, name, 2);
    (eyes.options.pool as { on?(event: string, listener: () => void): unknown }).on?.('error', () => undefined);
    const id = kind === 'postgres' ? 'int generated always as identity' : 'int auto_increment primary key';
    await eyes.query(`create table charges (id ${id}, name varchar(50) not null)`);
  }, 60_000);
  afterAll(async () => {
    await database.end();
    await eyes.end();
    await service.stop();
  });
  beforeEach(() => {
    ledger = ledgerWith();
  });
  afterEach(async () => {
    await ledger.close();
    await eyes.query('delete from charges');
  });
  const charges = async (): Promise<number> => Number((await eyes.query('select count(*) as n from charges'))[0]?.n);
  let count = 0;
  const fresh = (): string => {
    count += 1;
    return `operation ${count}`;
  };
  async function claimed(operation = fresh(), more: object = {}): Promise<Lease> {
    const claim = await ledger.claim(requestOf(operation, { state: 'claimed', maxAttempts: 1, ...more }));
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    return claim.lease;
  }
  const charging = async (db: SqlTransaction): Promise<Outcome> => {
    await db.query(INSERT);
    return DONE;
  };

  it('effect and end are committed together', async () => {
    expect(isTransactionalLedger(ledger)).toBe(true);
    const lease = await claimed();
    const ended = await ledger.transaction(lease, async (db) => {
      expect(await db.query(INSERT)).toMatchObject({ affectedRows: 1 });
      expect(await db.query<{ name: string }>('select name from charges')).toMatchObject({ rows: [{ name: 'a' }] });
      expect([await charges(), (await ledger.find(lease.operationId))?.state]).toEqual([0, 'claimed']);
      return DONE;
    });
    expect([ended, await charges()]).toEqual([true, 1]);
    expect(await ledger.find(lease.operationId)).toMatchObject({ state: 'completed', attempts: 1, outcome: DONE });
  });

  it.each([
    ['throws', new Error('no money')],
    ['fails at a constraint', undefined],
  ])('both are gone when the work %s; the lease stays, and the next try may succeed', async (_how, error) => {
    const lease = await claimed();
    const failing = ledger.transaction(lease, async (db) => {
      await db.query(INSERT);
      if (error !== undefined) throw error;
      await db.query('insert into charges (name) values (null)');
      return DONE;
    });
    await expect(failing).rejects.toThrow(error === undefined ? /null/i : error);
    expect(await charges()).toBe(0);
    expect(await ledger.find(lease.operationId)).toMatchObject({ state: 'claimed', attempts: 0 });
    expect(await ledger.transaction(lease, charging)).toBe(true);
    expect(await charges()).toBe(1);
  });

  it('a tool that hides a failed statement has not written half of what it meant to', async () => {
    const lease = await claimed();
    const ended = ledger.transaction(lease, async (db) => {
      await db.query(INSERT);
      await db.query('insert into charges (name) values (null)').catch(() => undefined);
      return DONE;
    });
    if (kind === 'mysql') {
      expect(await ended).toBe(true); // there a failed statement leaves the others standing
      expect(await charges()).toBe(1);
      return;
    }
    await expect(ended).rejects.toMatchObject({ code: 'CALL_INVALID', execution: 'none' });
    expect([await charges(), (await ledger.find(lease.operationId))?.state]).toEqual([0, 'claimed']);
  });

  it.each(['commit', 'rollback', 'twice'])(
    'a tool that ends it by %s is found out, and does not count as done',
    async (how) => {
      const lease = await claimed();
      const ended = ledger.transaction(lease, async (db) => {
        await db.query(INSERT);
        await db.query(how === 'twice' ? 'commit' : how);
        if (how === 'twice') await db.query('begin');
        return DONE;
      });
      await expect(ended).rejects.toMatchObject({ code: 'INTERNAL', execution: 'unknown' });
      expect(await charges()).toBe(how === 'rollback' ? 0 : 1);
      expect((await ledger.find(lease.operationId))?.state).not.toBe('completed');
    },
  );

  it('[G:I4] the work of a former owner is not begun; once begun, nobody takes the operation over', async () => {
    const operation = fresh();
    const stale = await claimed(operation, { leaseMs: 1 });
    await sleep(10);
    const own = await claimed(operation, { ownerToken: 'other', leaseMs: 60 });
    let begun = 0;
    const work = async (db: SqlTransaction): Promise<Outcome> => {
      begun += 1;
      return charging(db);
    };
    expect(await ledger.transaction(stale, work)).toBe(false);
    expect([begun, await charges()]).toEqual([0, 0]);
    let rival: unknown;
    const ended = await ledger.transaction(own, async (db) => {
      await sleep(100);
      rival = ledger.claim(requestOf(operation, { ownerToken: 'rival' }));
      await sleep(100);
      return work(db);
    });
    expect(ended).toBe(true);
    expect(await rival).toMatchObject({ kind: 'replay', record: { state: 'completed' } });
    expect(await ledger.transaction(own, work)).toBe(false); // it has ended
    expect([begun, await charges()]).toEqual([1, 1]);
  });

  it('whatever a tool has kept is dead after it', async () => {
    const kept: (() => Promise<unknown>)[] = [];
    await ledger.transaction(await claimed(), async (db) => {
      const tables = db.kysely<Tables>();
      kept.push(
        () => db.query(INSERT),
        () => tables.insertInto('charges').values({ name: 'late' }).execute(),
      );
      return DONE;
    });
    for (const use of kept) await expect(use()).rejects.toMatchObject({ code: 'CALL_INVALID' });
    expect(await charges()).toBe(0);
  });

  it('one that takes too long is rolled back; what it stands in line with is not run afterwards', async () => {
    const lease = await claimed();
    const late: Promise<unknown>[] = [];
    const ended = ledger.transaction(lease, async (db) => {
      await db.query(INSERT);
      late.push(db.query(kind === 'postgres' ? 'select pg_sleep(0.6)' : 'select sleep(0.6)'));
      for (let n = 0; n < 3; n += 1) late.push(db.query(INSERT));
      for (const one of late) one.catch(() => undefined);
      return new Promise<Outcome>(() => undefined);
    });
    await expect(ended).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', execution: 'none' });
    await Promise.allSettled(late);
    await sleep(50);
    expect([await charges(), (await ledger.find(lease.operationId))?.state]).toEqual([0, 'claimed']);
    expect(await ledger.transaction(lease, charging)).toBe(true);
  });

  it('many at once go on side by side, with other writes between them', async () => {
    const leases = await Promise.all(Array.from({ length: 20 }, () => claimed()));
    const others = leases.map(async () =>
      ledger.settle(await claimed(), { state: 'failed', error: { code: 'REJECTED', message: '' } }),
    );
    const ended = await Promise.all([...leases.map((lease) => ledger.transaction(lease, charging)), ...others]);
    expect(ended).toEqual(Array.from({ length: 40 }, () => true));
    expect(await charges()).toBe(20);
  });

  it('the plugins of a user’s Kysely are the tool’s, and do not disturb the ledger', async () => {
    const { pool } = database.options;
    const dialect =
      kind === 'postgres' ? new PostgresDialect({ pool: pool as never }) : new MysqlDialect({ pool: pool as never });
    const db = new Kysely<Tables>({ dialect, plugins: [new CamelCasePlugin()] });
    const own = sqlLedger({ db });
    const lease = await claimed();
    const ended = await own.transaction(lease, async (transaction) => {
      const tables = transaction.kysely<{ mcpTxOperations: { operationKey: Uint8Array } } & Tables>();
      await tables.insertInto('charges').values({ name: 'b' }).execute();
      const [row] = await tables.selectFrom('mcpTxOperations').select('operationKey').limit(1).execute();
      expect(row?.operationKey.length).toBe(16);
      await expect(tables.transaction().execute(async () => undefined)).rejects.toMatchObject({ code: 'CALL_INVALID' });
      return DONE;
    });
    expect([ended, await charges()]).toEqual([true, 1]);
    expect(await own.find(lease.operationId)).toMatchObject({ state: 'completed' });
  });

  it('a server that goes away in the middle leaves neither effect nor end', async () => {
    const lease = await claimed();
    const ended = ledger.transaction(lease, async (db) => {
      await db.query(INSERT);
      await service.kill();
      await db.query(INSERT);
      return DONE;
    });
    await expect(ended).rejects.toThrow();
    await service.restart();
    expect([await charges(), (await ledger.find(lease.operationId))?.state]).toEqual([0, 'claimed']);
  }, 60_000);

  it('the ledger knows since when it is there, by the server’s clock', async () => {
    const before = Date.now();
    const other = connectTo(kind, service.port, await newDatabase(kind, service), 2);
    const made = sqlLedger({ ...other.options, migrate: 'auto' });
    expect(made.createdAt).toBeUndefined();
    await made.stats({});
    expect(Math.abs((made.createdAt ?? 0) - before)).toBeLessThan(30_000);
    const later = sqlLedger({ ...other.options });
    await later.stats({});
    expect(later.createdAt).toBe(made.createdAt);
    await other.end();
  });
});
