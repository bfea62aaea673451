// kill -9 before every single step of a transactional call, in real processes. The effects are counted in the database, by the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { expect, it, vi } from 'vitest';
import { blockOf, bytesOf, meta } from './support/lines.ts';
import type { Child } from './support/payments.ts';
import { startChild } from './support/payments.ts';

vi.setConfig({ testTimeout: 90_000 });
const PROGRAM = fileURLToPath(new URL('./programs/transactional-server.ts', import.meta.url));
const LEASE_MS = 400;
/** More steps than a call has: claim, transaction, answer. */
const ENOUGH = 40;

interface Bank extends Disposable {
  /** Starts a server that kills itself before step `killAt`, or never. */
  start(killAt?: number): Promise<Child>;
  /** What stands in the database: charges, and how often the balance went down. */
  effects(): { readonly receipts: readonly unknown[]; readonly withdrawals: number };
}

async function bank(): Promise<Bank> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-transactional-'));
  const path = join(folder, 'bank.db');
  await sqliteLedger(path).close();
  const eyes = new DatabaseSync(path);
  eyes.exec('create table charges (order_id text not null, receipt text not null); create table account (balance int)');
  eyes.exec('insert into account values (1000)');
  const args = ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning', PROGRAM, path, String(LEASE_MS)];
  return {
    start: (killAt) =>
      startChild({ command: process.execPath, args, env: killAt === undefined ? {} : { KILL_AT: String(killAt) } }),
    effects: () => ({
      receipts: eyes
        .prepare('select receipt from charges')
        .all()
        .map(({ receipt }) => receipt),
      withdrawals: (1000 - Number(eyes.prepare('select balance from account').get()?.balance)) / 10,
    }),
    [Symbol.dispose]() {
      eyes.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Asks until the operation has ended. */
async function settled(child: Child): Promise<Record<string, unknown>> {
  for (;;) {
    const answer = await child.call('pay', { orderId: '42' }, meta('op_a')).catch((error: Error) => error);
    if (!(answer instanceof Error)) return answer;
    expect(blockOf(answer as never)).toMatchObject({ reason: 'in-progress' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** One life: killed before step `killAt`, then asked again. Tells whether the kill came. */
async function live(killAt: number): Promise<{ readonly killed: boolean; readonly before: number }> {
  using world = await bank();
  await using doomed = await world.start(killAt);
  const first = await doomed.call('pay', { orderId: '42' }, meta('op_a')).catch((error: Error) => error);
  const killed = first instanceof Error;
  if (killed) expect(first.message).toMatch(/closed/i);
  const before = world.effects();
  expect(before.withdrawals).toBe(before.receipts.length); // both writes, or none
  await using after = await world.start();
  const answer = await settled(after);
  const { receipts, withdrawals } = world.effects();
  expect({ killAt, receipts: receipts.length, withdrawals }).toEqual({ killAt, receipts: 1, withdrawals: 1 });
  expect(JSON.stringify(answer.content)).toContain(String(receipts[0]));
  expect(blockOf(answer)).toMatchObject({ ack: true, exactlyOnce: true });
  if (!killed) expect(bytesOf(answer)).toBe(bytesOf(first));
  return { killed, before: before.withdrawals };
}

it('[G:S8] killed before any step of it: one effect, no doubt, and the answer is that of the effect', async () => {
  const lives: Awaited<ReturnType<typeof live>>[] = [];
  for (let killAt = 1; killAt < ENOUGH && lives.at(-1)?.killed !== false; killAt += 3) {
    lives.push(...(await Promise.all([live(killAt), live(killAt + 1), live(killAt + 2)])));
  }
  const kills = lives.filter(({ killed }) => killed);
  console.log(
    `transactional: ${kills.length} kills, ${kills.filter(({ before }) => before === 1).length} after the commit`,
  );
  expect(kills.length).toBeGreaterThanOrEqual(12);
  expect(kills.filter(({ before }) => before === 1).length).toBeGreaterThan(0);
  expect(kills.filter(({ before }) => before === 0).length).toBeGreaterThan(0);
  expect(lives.at(-1)?.killed).toBe(false); // no step was left out
});

it('[G:S8] two processes at the same time: one effect, one answer', async () => {
  using world = await bank();
  await using one = await world.start();
  await using other = await world.start();
  const [first, second] = await Promise.all([settled(one), settled(other)]);
  expect(bytesOf(first)).toBe(bytesOf(second));
  expect(world.effects()).toMatchObject({ withdrawals: 1, receipts: [expect.any(String)] });
});
