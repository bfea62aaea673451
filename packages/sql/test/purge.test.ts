// What is left in the file of operations whose time is over.
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SqliteLedger } from '../src/sqlite.ts';
import { sqliteLedger } from '../src/sqlite.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { TemporaryFolder } from './support/temporary-file.ts';
import { temporaryFolder } from './support/temporary-file.ts';

const RETENTION_MS = 1_000;
let folder: TemporaryFolder;
let ledger: SqliteLedger;
let eyes: DatabaseSync;
let now = 0;
beforeEach(async () => {
  folder = await temporaryFolder();
  now = 1_000_000;
  ledger = sqliteLedger(folder.at('ledger.db'), { clock: { now: () => now } });
  eyes = new DatabaseSync(folder.at('ledger.db'));
});
afterEach(async () => {
  eyes.close();
  await ledger.close();
  await folder.remove();
});

async function complete(name: string): Promise<void> {
  const request = requestOf(name, { retentionMs: RETENTION_MS, arguments: '{"secret":"of the caller"}' });
  const claim = await ledger.claim(request);
  if (claim.kind === 'claimed') await ledger.settle(claim.lease, resultOf(name));
}

const count = (table: string): unknown => eyes.prepare(`select count(*) as n from ${table}`).get()?.n;

test('a tombstone holds no arguments, no result, no names; after its own time nothing is left at all', async () => {
  for (let n = 0; n < 20; n += 1) await complete(`op ${n}`);
  const { operationId } = requestOf('op 3');
  await ledger.resolve(operationId, {
    outcome: { state: 'completed', result: '{}' },
    by: 'late-answer',
    reason: 'late',
  });
  expect([count('mcp_tx_operations'), count('mcp_tx_results'), count('mcp_tx_audit')]).toEqual([20, 20, 1]);

  now += RETENTION_MS;
  expect(await ledger.purge(now, 100)).toBe(20);
  expect([count('mcp_tx_operations'), count('mcp_tx_results')]).toEqual([20, 0]);
  const texts = eyes
    .prepare('select * from mcp_tx_operations')
    .all()
    .flatMap(Object.values)
    .filter((value) => typeof value === 'string');
  expect(new Set(texts.filter((text) => !text.startsWith('fingerprint of')))).toEqual(
    new Set(['', 'completed', 'at-most-once']),
  );

  now += 10 * RETENTION_MS;
  expect(await ledger.purge(now, 100)).toBe(20);
  expect([count('mcp_tx_operations'), count('mcp_tx_results'), count('mcp_tx_audit')]).toEqual([0, 0, 0]);
});

test('a key that is used again after its tombstone starts with nothing of its former life', async () => {
  await complete('a');
  const { operationId } = requestOf('a');
  await ledger.resolve(operationId, {
    outcome: { state: 'completed', result: '{}' },
    by: 'late-answer',
    reason: 'late',
  });
  now += 11 * RETENTION_MS;
  await ledger.claim(requestOf('a'));
  expect([count('mcp_tx_operations'), count('mcp_tx_results'), count('mcp_tx_audit')]).toEqual([1, 0, 0]);
  expect(await ledger.find(operationId)).toMatchObject({ state: 'sent', contradicted: false });
});

test('a large purge goes in steps that leave the event loop free', async () => {
  await Promise.all(Array.from({ length: 3_000 }, (_, n) => complete(`op ${n}`)));
  now += RETENTION_MS;
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  expect(await ledger.purge(now, 2_750)).toBe(2_750);
  clearImmediate(timer);
  expect(turns).toBeGreaterThanOrEqual(5);
  expect(await ledger.purge(now, 10_000)).toBe(250);
});

test('the file does not grow while as much expires as comes', async () => {
  const sizes: number[] = [];
  for (let round = 0; round < 30; round += 1) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => complete(`round ${round} op ${n}`)));
    now += RETENTION_MS;
    await ledger.purge(now, 1_000);
    eyes.exec('pragma wal_checkpoint(truncate)');
    sizes.push(statSync(folder.at('ledger.db')).size);
  }
  expect(sizes[29]).toBeLessThanOrEqual(1.1 * (sizes[14] ?? 0));
});
