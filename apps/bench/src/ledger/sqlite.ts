// SQLite with synchronous=FULL on a disk: our ledger, and two transactions for each call.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import type { Store } from './store.ts';
import type { Subject } from './subject.ts';
import { keyBytes, oneByOne, RESULT, tool } from './subject.ts';

/** Makes a folder for its files, on a disk or in memory. */
export async function openSqlite(onDisk: boolean): Promise<Store> {
  const folder = mkdtempSync(join(onDisk ? tmpdir() : '/dev/shm', 'mcp-tx-bench-'));
  let files = 0;
  return {
    name: 'sqlite',
    bareSays: 'node:sqlite, two transactions, each synced',
    port: undefined,
    async openLedger() {
      const ledger = sqliteLedger(join(folder, 'ledger.db'));
      return { ledger, [Symbol.asyncDispose]: () => ledger.close() };
    },
    async openBare() {
      files += 1;
      return openBare(join(folder, `bare-${files}.db`));
    },
    peers: [],
    goals: [{ id: 'S2', callers: 64, over: 'bare', atLeast: 5, orPerSecond: 15_000 }],
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function openBare(path: string): Subject {
  const database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = wal; pragma synchronous = full; create table calls (id integer primary key,
    key blob not null unique, fingerprint text, state text not null, result text, expires_at integer)`);
  const begin = database.prepare('insert into calls (key, fingerprint, state) values (?, ?, ?)');
  const end = database.prepare('update calls set state = ?, result = ?, expires_at = ? where id = ?');
  const call = async (n: number): Promise<void> => {
    const key = keyBytes(`order:${n}`);
    const { lastInsertRowid } = begin.run(key, `1:${key.toString('base64url')}`, 'sent');
    await tool();
    end.run('completed', RESULT, Date.now() + 3_600_000, lastInsertRowid);
    await new Promise(setImmediate); // it has blocked the loop: let others in
  };
  // One after the other, as they are anyhow: else all begin in one turn of the loop, and on a slow disk none is done in time.
  let line: Promise<void> = Promise.resolve();
  return oneByOne(
    (n) => {
      line = line.then(() => call(n));
      return line;
    },
    async () => database.close(),
  );
}
