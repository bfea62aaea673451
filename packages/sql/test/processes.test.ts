// Many processes on one file: they migrate it once, and wait for each other without losing anything or blocking themselves.
import { fork } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sqliteLedger } from '../src/sqlite.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { TemporaryFolder } from './support/temporary-file.ts';
import { temporaryFolder } from './support/temporary-file.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('of ten processes that open a new file at once, one applies the migrations and all can work', async () => {
  const path = folder.at('new.db');
  const script = fileURLToPath(new URL('./support/open-at.ts', import.meta.url));
  const startAt = Date.now() + 1_500; // when all of them have loaded their code
  const children = Array.from({ length: 10 }, (_, n) => {
    const child = fork(script, [path, String(startAt), `process ${n}`], { execArgv: ['--conditions=mcp-tx:source'] });
    return new Promise<unknown>((resolve) => {
      child.once('message', resolve);
      child.once('exit', (code) => resolve(`ended with ${code}`));
    });
  });
  expect(await Promise.all(children)).toEqual(Array(10).fill('claimed'));
  const eyes = new DatabaseSync(path);
  expect(eyes.prepare('select id, name from mcp_tx_migrations').all()).toEqual([{ id: 1, name: 'operations' }]);
  expect(eyes.prepare('select count(*) as n from mcp_tx_operations').get()).toEqual({ n: 10 });
  eyes.close();
}, 30_000);

test('a call waits for a lock that is held for a while, and the event loop goes on meanwhile', async () => {
  await using ledger = sqliteLedger(folder.at('busy.db'), { busyTimeoutMs: 5_000 });
  const other = new DatabaseSync(folder.at('busy.db'));
  other.exec('begin immediate');
  let ticks = 0;
  const ticking = setInterval(() => {
    ticks += 1;
  }, 1);
  const claiming = ledger.claim(requestOf('a'));
  await wait(400);
  expect(ticks).toBeGreaterThan(4);
  other.exec('commit');
  expect(await claiming).toMatchObject({ kind: 'claimed' });
  clearInterval(ticking);
  other.close();
});

test('a replay and a look need no lock: they are answered while another process holds it', async () => {
  await using ledger = sqliteLedger(folder.at('busy.db'), { busyTimeoutMs: 100 });
  const claim = await ledger.claim(requestOf('a'));
  if (claim.kind === 'claimed') await ledger.settle(claim.lease, resultOf('a'));
  const other = new DatabaseSync(folder.at('busy.db'));
  other.exec('begin immediate');
  expect(await ledger.claim(requestOf('a'))).toMatchObject({ kind: 'replay' });
  expect(await ledger.claim(requestOf('a', { tool: 'refund' }))).toEqual({ kind: 'conflict' });
  expect(await ledger.find(requestOf('a').operationId)).toMatchObject({ state: 'completed' });
  expect(await ledger.sweep(10)).toEqual([]);
  expect(await ledger.purge(Date.now(), 10)).toBe(0);
  expect((await ledger.list({})).records.length).toBe(1);
  other.close();
});

test('closing waits for what is still waiting for the lock', async () => {
  const ledger = sqliteLedger(folder.at('busy.db'), { busyTimeoutMs: 5_000 });
  const other = new DatabaseSync(folder.at('busy.db'));
  other.exec('begin immediate');
  const claiming = ledger.claim(requestOf('a'));
  const closing = ledger.close();
  await wait(60);
  other.close();
  expect(await claiming).toMatchObject({ kind: 'claimed' });
  await closing;
});
