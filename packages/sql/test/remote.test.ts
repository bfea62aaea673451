// The ledger on database servers beyond the contract: first use, migrations, pools, servers that go away.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMcpTx } from '@mcp-tx/core';
import type { Service } from '@mcp-tx/testing/services';
import { startMariadb, startPostgres } from '@mcp-tx/testing/services';
import { MysqlDialect, SqliteDialect } from 'kysely';
import mysqlPromise from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlLedger } from '../src/index.ts';
import { requestOf } from './support/operations.ts';
import type { Kind, RemoteDatabase } from './support/remote.ts';
import { connectTo, newDatabase } from './support/remote.ts';

/** A client whose one tool takes 300 ms. */
const slowClient = {
  callTool: async () => {
    await sleep(300);
    return { content: [{ type: 'text', text: '{}' }] };
  },
  listTools: async () => ({ tools: [{ name: 'slow', inputSchema: { type: 'object' } }] }),
  close: async () => undefined,
};

const starts = { postgres: startPostgres, mysql: startMariadb } as const;

describe.each(['postgres', 'mysql'] as const)('on %s', (kind: Kind) => {
  let service: Service;
  const open: RemoteDatabase[] = [];
  const connect = (name: string, limit?: number): RemoteDatabase => {
    const database = connectTo(kind, service.port, name, limit);
    open.push(database);
    return database;
  };
  beforeAll(async () => {
    service = await starts[kind]();
  }, 60_000);
  afterAll(async () => {
    for (const database of open) await database.end().catch(() => undefined);
    await service.stop();
  });

  it('without tables the first use says what to do, and a later one works once they are there', async () => {
    const database = connect(await newDatabase(kind, service));
    const checking = sqlLedger({ ...database.options });
    await expect(checking.claim(requestOf('a'))).rejects.toMatchObject({
      code: 'LEDGER_VERSION',
      message: expect.stringContaining("migrate: 'auto'"),
    });
    await sqlLedger({ ...database.options, migrate: 'auto' }).stats({});
    expect(await checking.claim(requestOf('a'))).toMatchObject({ kind: 'claimed' });
    await checking.close();
    await expect(checking.claim(requestOf('a'))).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
    expect(await database.query('select 1 as one')).toMatchObject([{ one: 1 }]); // the pool is not ours to end
  });

  it('[T52] of ten processes that open it at once, one makes the tables and all can work', async () => {
    const name = await newDatabase(kind, service);
    const script = new URL('./support/claim-once.ts', import.meta.url);
    const argument = JSON.stringify({ kind, port: service.port, name });
    const exits = Array.from({ length: 10 }, async (_, n) => {
      const child = fork(script, [argument, String(n)], { execArgv: ['--conditions=mcp-tx:source'] });
      const [code] = await once(child, 'exit');
      return code;
    });
    expect(await Promise.all(exits)).toEqual(Array(10).fill(0));
    const database = connect(name);
    expect(await database.query('select id, name from mcp_tx_migrations order by id')).toMatchObject([
      { name: 'operations' },
      { name: 'fewer writes' },
    ]);
    expect(await sqlLedger(database.options).stats({})).toMatchObject({ total: 10 });
  }, 60_000);

  it('tables of a newer version are refused', async () => {
    const database = connect(await newDatabase(kind, service));
    await sqlLedger({ ...database.options, migrate: 'auto' }).stats({});
    await database.query("insert into mcp_tx_migrations (id, name, applied_at) values (99, 'later', 0)");
    for (const migrate of ['auto', 'check'] as const) {
      await expect(sqlLedger({ ...database.options, migrate }).stats({})).rejects.toMatchObject({
        code: 'LEDGER_VERSION',
      });
    }
  });

  it('[T16] no connection is held while a tool runs: one is enough for ten calls at once', async () => {
    const database = connect(await newDatabase(kind, service), 1);
    const ledger = sqlLedger({ ...database.options, migrate: 'auto' });
    const tx = createMcpTx({ server: slowClient, name: 'slow', ledger, sweepIntervalMs: 0 });
    const startedAt = performance.now();
    const calls = Array.from({ length: 10 }, (_, n) => tx.callTool('slow', {}, { idempotencyKey: `order:${n}` }));
    for (const { meta } of await Promise.all(calls))
      expect(meta).toMatchObject({ recorded: true, durability: 'fsync' });
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect(await ledger.stats({ states: ['completed'] })).toMatchObject({ total: 10 });
    await tx.close();
  });

  it('[T19] down at the claim nothing is sent; down at the end the answer comes unrecorded, and is replayed later', async () => {
    const database = connect(await newDatabase(kind, service));
    const ledger = sqlLedger({ ...database.options, migrate: 'auto' });
    await ledger.stats({});
    let calls = 0;
    let during = async (): Promise<void> => undefined;
    const callTool = async () => {
      calls += 1;
      await during();
      return { content: [{ type: 'text', text: `call ${calls}` }] };
    };
    const server = { ...slowClient, callTool };
    const tx = createMcpTx({ server, name: 'slow', ledger, sweepIntervalMs: 0, timeoutMs: 2_000 });
    during = () => service.kill();
    const first = await tx.callTool('slow', {}, { idempotencyKey: 'order:1' });
    expect(first.meta).toMatchObject({ recorded: false, execution: 'done' });
    during = async () => undefined;
    const refused = tx.callTool('slow', {}, { idempotencyKey: 'order:2' });
    await expect(refused).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(calls).toBe(1);
    await service.restart();
    await expect.poll(async () => (await ledger.stats({ states: ['completed'] })).total, { timeout: 20_000 }).toBe(1);
    const again = await tx.callTool('slow', {}, { idempotencyKey: 'order:1' });
    expect([again.meta.duplicate, again.result, calls]).toEqual([true, first.result, 1]);
    await tx.close({ graceMs: 100 });
  }, 60_000);

  it('a server that is gone is LEDGER_UNAVAILABLE at once, at the first use and later, and then it goes on', async () => {
    const database = connect(await newDatabase(kind, service));
    const ledger = sqlLedger({ ...database.options, migrate: 'auto' });
    const first = await ledger.claim(requestOf('first'));
    if (first.kind !== 'claimed') throw new Error('not claimed');
    await service.kill();
    const gone = { code: 'LEDGER_UNAVAILABLE', execution: 'none' };
    await expect(ledger.claim(requestOf('a'))).rejects.toMatchObject(gone);
    await expect(ledger.settle(first.lease, { state: 'completed', result: '{}' })).rejects.toMatchObject(gone);
    await expect(sqlLedger({ ...database.options, migrate: 'auto' }).stats({})).rejects.toMatchObject(gone);
    await service.restart();
    expect(await ledger.settle(first.lease, { state: 'completed', result: '{}' })).toBe(true);
    expect(await ledger.find(first.lease.operationId)).toMatchObject({ state: 'completed' });
  }, 60_000);
});

it('options that cannot be are refused by name', async () => {
  const dialect = new SqliteDialect({ database: undefined as never });
  expect(() => sqlLedger({})).toThrow('one of pool, dialect and db');
  expect(() => sqlLedger({ dialect })).toThrow('@mcp-tx/sql/sqlite');
  expect(() => sqlLedger({ dialect, migrate: 'sometimes' as never })).toThrow('migrate');
  expect(() => sqlLedger({ dialect, durability: 'process' as never })).toThrow('durability');
});

it('a pool of mysql2/promise is refused at once, with the cure', async () => {
  const pool = mysqlPromise.createPool({ host: '127.0.0.1', port: 1 });
  const refused = { code: 'CONFIG_INVALID', message: expect.stringContaining('mysql2/promise') };
  expect(() => sqlLedger({ pool: pool as never })).toThrow(expect.objectContaining(refused));
  expect(() => sqlLedger({ pool: {} as never })).toThrow('pg.Pool');
  await pool.end();
});

it('in a dialect it never answers, and the first use says why', async () => {
  const service = await startMariadb();
  const pool = mysqlPromise.createPool({ host: '127.0.0.1', port: service.port, user: 'root', database: 'mcp_tx' });
  try {
    const ledger = sqlLedger({ dialect: new MysqlDialect({ pool: pool as never }), connectTimeoutMs: 500 });
    const refused = { code: 'LEDGER_UNAVAILABLE', message: expect.stringContaining('mysql2/promise') };
    await expect(ledger.claim(requestOf('a'))).rejects.toMatchObject(refused);
  } finally {
    await pool.end();
    await service.stop();
  }
}, 60_000);
