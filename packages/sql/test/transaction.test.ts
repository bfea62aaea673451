// Transactions that hold a tool's own writes and the end of its operation. What is in the file is looked at with a handle of the test.
import { DatabaseSync } from 'node:sqlite';
import type { Lease, Outcome } from '@mcp-tx/core/ledger';
import { isTransactionalLedger } from '@mcp-tx/core/ledger';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqliteLedger, SqliteTransaction } from '../src/sqlite.ts';
import { sqliteLedger } from '../src/sqlite.ts';
import { requestOf } from './support/operations.ts';
import type { TemporaryFolder } from './support/temporary-file.ts';
import { temporaryFolder } from './support/temporary-file.ts';

const DONE: Outcome = { state: 'completed', result: '{"content":[]}', exactlyOnce: true };
let folder: TemporaryFolder;
let path: string;
let eyes: DatabaseSync;
let ledger: SqliteLedger;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = folder.at('ledger.db');
  ledger = sqliteLedger(path, { busyTimeoutMs: 300, transactionTimeoutMs: 300 });
  eyes = new DatabaseSync(path);
  eyes.exec('create table charges (id integer primary key, name text not null)');
});

afterEach(async () => {
  eyes.close();
  await ledger.close();
  await folder.remove();
});

const charges = (): number => Number(eyes.prepare('select count(*) as n from charges').get()?.n);

async function claimed(name: string, from: SqliteLedger = ledger, more: object = {}): Promise<Lease> {
  const claim = await from.claim(requestOf(name, { state: 'claimed', maxAttempts: 1, ...more }));
  if (claim.kind !== 'claimed') throw new Error(claim.kind);
  return claim.lease;
}

function charging(name: string): (db: SqliteTransaction) => Promise<Outcome> {
  return async (db) => {
    db.prepare('insert into charges (name) values (?)').run(name);
    await new Promise((resolve) => setTimeout(resolve, 5)); // nothing of it may be seen meanwhile
    return DONE;
  };
}

describe('effect and end', () => {
  it('are committed together, and the end says so after a restart', async () => {
    expect(isTransactionalLedger(ledger)).toBe(true);
    const lease = await claimed('a');
    const during: unknown[] = [];
    const ended = ledger.transaction(lease, async (db) => {
      db.exec("insert into charges (name) values ('a')");
      during.push(charges(), (await ledger.find(lease.operationId))?.state);
      return DONE;
    });
    expect(await ended).toBe(true);
    expect(during).toEqual([0, 'claimed']);
    expect(charges()).toBe(1);
    await ledger.close();
    ledger = sqliteLedger(path);
    expect(await ledger.find(lease.operationId)).toMatchObject({ state: 'completed', attempts: 1, outcome: DONE });
    expect((await ledger.find(lease.operationId))?.outcome).toEqual(DONE);
  });

  it.each([
    ['throws', new Error('no money')],
    ['fails at a constraint', undefined],
  ])('are both gone when the work %s; the lease stays, and the next try may succeed', async (_how, error) => {
    const lease = await claimed('a');
    const failing = ledger.transaction(lease, async (db) => {
      db.exec("insert into charges (name) values ('a')");
      if (error !== undefined) throw error;
      db.exec('insert into charges (name) values (null)');
      return DONE;
    });
    await expect(failing).rejects.toThrow(error === undefined ? /NOT NULL/ : error);
    expect(charges()).toBe(0);
    expect(await ledger.find(lease.operationId)).toMatchObject({ state: 'claimed', attempts: 0 });
    expect(await ledger.transaction(lease, charging('a'))).toBe(true);
    expect(charges()).toBe(1);
  });

  it.each([
    ['failed', { state: 'failed', error: { code: 'NOT_EXECUTED', message: 'no' } }],
    ['in_doubt', { state: 'in_doubt', reason: 'remote-task', taskId: 't' }],
  ] as const)('may be %s as well', async (state, outcome) => {
    const lease = await claimed('a');
    expect(await ledger.transaction(lease, async () => outcome)).toBe(true);
    expect(await ledger.find(lease.operationId)).toMatchObject({ state, outcome });
  });

  it('of an operation that is sent already only ends it', async () => {
    const lease = await claimed('a', ledger, { state: 'sent' });
    expect(await ledger.transaction(lease, charging('a'))).toBe(true);
    expect(await ledger.find(lease.operationId)).toMatchObject({ state: 'completed', attempts: 1 });
  });
});

describe('a lost lease', () => {
  it('[G:I4] is noticed inside: the work of a former owner is not begun', async () => {
    await using other = sqliteLedger(path);
    const stale = await claimed('a', ledger, { leaseMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 10));
    const fresh = await claimed('a', other, { ownerToken: 'other' });
    let begun = 0;
    const work = async (): Promise<Outcome> => {
      begun += 1;
      return DONE;
    };
    expect(await ledger.transaction(stale, work)).toBe(false);
    expect(begun).toBe(0);
    expect(await other.transaction(fresh, charging('a'))).toBe(true);
    expect(await ledger.transaction(stale, work)).toBe(false);
    expect(await ledger.transaction(fresh, work)).toBe(false); // it has ended
    expect([begun, charges()]).toEqual([0, 1]);
  });

  it('cannot happen once the work has begun, though the lease runs out', async () => {
    await using other = sqliteLedger(path, { busyTimeoutMs: 5_000 });
    const lease = await claimed('a', ledger, { leaseMs: 20 });
    let rival: unknown;
    const ended = await ledger.transaction(lease, async (db) => {
      db.exec("insert into charges (name) values ('a')");
      await new Promise((resolve) => setTimeout(resolve, 60));
      rival = other.claim(requestOf('a', { ownerToken: 'rival' }));
      await new Promise((resolve) => setTimeout(resolve, 60));
      return DONE;
    });
    expect(ended).toBe(true);
    expect(await rival).toMatchObject({ kind: 'replay', record: { state: 'completed' } });
    expect(charges()).toBe(1);
  });
});

describe('a tool', () => {
  it.each(['commit', 'rollback', 'end', 'insert into charges (name) values (1); commit; begin'])(
    'cannot end the transaction by %j',
    async (text) => {
      const lease = await claimed('a');
      const ended = ledger.transaction(lease, async (db) => {
        db.exec("insert into charges (name) values ('a')");
        db.exec(text);
        return DONE;
      });
      await expect(ended).rejects.toThrow(/not authorized/);
      expect(charges()).toBe(0);
      expect(await ledger.find(lease.operationId)).toMatchObject({ state: 'claimed' });
    },
  );

  it('cannot take what SQLite has rolled back for written', async () => {
    const lease = await claimed('a');
    const ended = ledger.transaction(lease, async (db) => {
      db.exec("insert into charges (id, name) values (1, 'a')");
      expect(() => db.exec("insert or rollback into charges (id, name) values (1, 'b')")).toThrow(/UNIQUE/);
      return DONE;
    });
    await expect(ended).rejects.toMatchObject({ code: 'INTERNAL', execution: 'unknown' });
    expect(charges()).toBe(0);
    expect(await ledger.find(lease.operationId)).toMatchObject({ state: 'claimed' });
  });

  it('has savepoints of its own', async () => {
    const lease = await claimed('a');
    const ended = await ledger.transaction(lease, async (db) => {
      db.exec("insert into charges (name) values ('a'); savepoint mine; insert into charges (name) values ('b')");
      db.exec('rollback to mine; release mine');
      return DONE;
    });
    expect([ended, charges()]).toEqual([true, 1]);
  });

  it('cannot write after it is over, by whatever it has kept', async () => {
    const lease = await claimed('a');
    const kept: (() => unknown)[] = [];
    await ledger.transaction(lease, async (db) => {
      const insert = db.prepare("insert into charges (name) values ('a')");
      kept.push(
        () => insert.run(),
        () => db.exec("insert into charges (name) values ('a')"),
        () => db.prepare('select 1'),
      );
      return DONE;
    });
    for (const use of kept) expect(use).toThrow();
    expect(charges()).toBe(0);
  });

  it('that takes too long is rolled back, and the others go on', async () => {
    const [slow, next] = [await claimed('a'), await claimed('b')];
    const ended = ledger.transaction(slow, async (db) => {
      db.exec("insert into charges (name) values ('a')");
      return new Promise<Outcome>(() => undefined);
    });
    const waiting = ledger.transaction(next, charging('b'));
    await expect(ended).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', execution: 'none' });
    expect(await waiting).toBe(true);
    expect(charges()).toBe(1);
    expect(await ledger.find(slow.operationId)).toMatchObject({ state: 'claimed' });
  });
});

describe('the ledger', () => {
  it('runs them one after the other, with its own writes between them', async () => {
    const leases = await Promise.all(Array.from({ length: 12 }, (_, n) => claimed(`t ${n}`)));
    let running = 0;
    const most = { count: 0 };
    const ended = await Promise.all(
      leases.flatMap((lease, n) => [
        ledger.transaction(lease, async (db) => {
          running += 1;
          most.count = Math.max(most.count, running);
          const outcome = await charging(`t ${n}`)(db);
          running -= 1;
          return outcome;
        }),
        claimed(`c ${n}`).then((claim) =>
          ledger.settle(claim, { state: 'failed', error: { code: 'REJECTED', message: '' } }),
        ),
      ]),
    );
    expect(ended).toEqual(Array.from({ length: 24 }, () => true));
    expect([most.count, charges()]).toEqual([1, 12]);
  });

  it('waits for them when it closes', async () => {
    const lease = await claimed('a');
    const ended = ledger.transaction(lease, charging('a'));
    await ledger.close();
    expect(await ended).toBe(true);
    await expect(ledger.transaction(lease, charging('a'))).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
    expect(charges()).toBe(1);
  });

  it('says so when another process keeps the lock; nothing is begun', async () => {
    const lease = await claimed('a');
    eyes.exec('begin immediate');
    await expect(ledger.transaction(lease, charging('a'))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    eyes.exec('rollback');
    expect(await ledger.transaction(lease, charging('a'))).toBe(true);
    expect(charges()).toBe(1);
  });

  it('in memory refuses them', async () => {
    await using memory = sqliteLedger(':memory:');
    const lease = await claimed('a', memory);
    await expect(memory.transaction(lease, charging('a'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
