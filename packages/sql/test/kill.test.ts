// Processes that work on one ledger are killed again and again: whatever they were told had been stored is there, whole.
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sqliteLedger } from '../src/sqlite.ts';
import type { Receipt } from './support/kill-worker.ts';
import { LEASE_MS } from './support/kill-worker.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { TemporaryFolder } from './support/temporary-file.ts';
import { temporaryFolder } from './support/temporary-file.ts';

const KILLS = 40;
const MIN_OPERATIONS = 1_000;
const CALLERS = 8;
/** Processes that work, and die, side by side. */
const AT_ONCE = 2;

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test(`${KILLS} kills over ${MIN_OPERATIONS} operations: nothing acknowledged is lost, nothing is left in a wrong state`, async () => {
  const path = folder.at('ledger.db');
  const receipts: Receipt[] = [];
  let logsLeft = 0;
  for (let kill = 0; kill < KILLS; kill += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => runAndKill(path, kill + n, receipts)));
    if (existsSync(`${path}-wal`)) logsLeft += 1;
  }
  const settled = receipts.filter((receipt) => receipt.step === 'settled');
  expect(settled.length).toBeGreaterThan(MIN_OPERATIONS);
  expect(logsLeft).toBe(KILLS / AT_ONCE); // each next process really had a log to recover from

  const eyes = new DatabaseSync(path);
  expect(eyes.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
  const rows = eyes.prepare('select idempotency_key as name, state, attempts, result from mcp_tx_calls').all();
  eyes.close();
  const byName = new Map(rows.map((row) => [String(row.name), row]));
  for (const { name } of receipts) expect(byName.has(name), `${name} was claimed and is gone`).toBe(true);
  for (const { name } of settled) {
    expect(byName.get(name)).toMatchObject({ state: 'completed', result: resultOf(name).result });
  }
  for (const row of rows) {
    expect(['claimed', 'sent', 'completed']).toContain(row.state);
    expect(row.attempts).toBe(row.state === 'claimed' ? 0 : 1);
    expect(row.result).toBe(row.state === 'completed' ? resultOf(String(row.name)).result : null);
  }
  for (const receipt of receipts)
    if (receipt.step === 'sent') expect(byName.get(receipt.name)?.state).not.toBe('claimed');

  await wait(LEASE_MS);
  await using ledger = sqliteLedger(path);
  const open = rows.filter((row) => row.state !== 'completed').length;
  expect(open).toBeGreaterThan(0); // else no kill came between
  expect(open).toBeLessThanOrEqual(KILLS * CALLERS);
  expect(await ledger.sweep(10_000)).toHaveLength(open);
  const { byState } = await ledger.stats({});
  expect(byState).toMatchObject({ sent: 0, completed: rows.length - open });
  for (const { name } of settled.slice(0, 50)) {
    expect(await ledger.claim(requestOf(name))).toMatchObject({ kind: 'replay', record: { outcome: resultOf(name) } });
  }
}, 120_000);

/** Lets one process work, and kills it in mid-work once it has told enough. */
async function runAndKill(path: string, kill: number, receipts: Receipt[]): Promise<void> {
  const script = fileURLToPath(new URL('./support/kill-worker.ts', import.meta.url));
  const child = fork(script, [path, `life ${kill}`, String(CALLERS)], { execArgv: ['--conditions=mcp-tx:source'] });
  const ended = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`)),
  );
  let heard = 0;
  const hasToldEnough = new Promise<'told'>((resolve) => {
    child.on('message', (told: readonly Receipt[]) => {
      receipts.push(...told);
      heard += told.length;
      if (heard >= 100) resolve('told');
    });
  });
  expect(await Promise.race([hasToldEnough, ended])).toBe('told');
  await wait((kill * 7) % 23); // some time later, at another moment of its work each time
  child.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');
}
