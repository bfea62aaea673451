// Clients that are killed with calls under way, whose keys nobody has: the next process asks the server, and nothing stays in doubt. What
// really happened stands in the server's own effect log.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { memoryLedger } from '@mcp-tx/core/ledger';
import { readEffectLog } from '@mcp-tx/testing/faulty-server';
import { expect, it, vi } from 'vitest';
import { createServerTx, currentCall } from '../src/index.ts';
import { startHttp } from './support/http-server.ts';
import { createTools, text } from './support/tools.ts';

vi.setConfig({ testTimeout: 60_000 });
const RUN = ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning'];
const programAt = (name: string): string => fileURLToPath(new URL(`./programs/${name}`, import.meta.url));

interface Ended {
  readonly operationId: string;
  readonly state: string;
  readonly resolvedBy?: string;
}

function client(database: string, source: object, calls: number) {
  const args = [...RUN, programAt('dying-client.ts'), database, JSON.stringify(source), String(calls)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(said)));
  return { child, ended };
}

/** Kills `kills` clients in the middle of their calls, then lets one look after what they left. */
async function outlive(database: string, source: object, kills: number, isUnderWay: () => boolean): Promise<Ended[]> {
  for (let n = 0; n < kills; n += 1) {
    const { child, ended } = client(database, source, 12);
    while (!isUnderWay() && child.exitCode === null) await sleep(5);
    await sleep(n * 15);
    child.kill('SIGKILL');
    await ended;
  }
  return JSON.parse(await client(database, source, 0).ended) as Ended[];
}

it('[G:S9] over HTTP: each call that had its effect is completed, each that had none has failed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-ask-'));
  const done = new Map<string, number>();
  const tools = createTools({
    async pay({ orderId }) {
      const { operationId = '' } = currentCall() ?? {};
      await sleep(30);
      done.set(operationId, (done.get(operationId) ?? 0) + 1);
      await sleep(30);
      return text({ orderId });
    },
  });
  await using serverTx = createServerTx({ ledger: memoryLedger(), scope: 'test' });
  await using server = await startHttp({
    tx: serverTx,
    tools,
    loses: (body) => / 1?[02]"/.test(JSON.stringify(body ?? '')),
  });
  let seen = 0;
  const isUnderWay = (): boolean => done.size > seen;
  const database = join(folder, 'client.db');
  let all: Ended[] = [];
  for (let kills = 0; kills < 3; kills += 1) {
    seen = done.size;
    all = await outlive(database, { url: server.url }, 1, isUnderWay);
  }
  check(all, done);
  for (const state of ['completed', 'failed'])
    expect(all.filter((each) => each.state === state && each.resolvedBy === 'server').length).toBeGreaterThan(0);
  rmSync(folder, { recursive: true, force: true });
});

it('[G:S9] over stdio, where the server goes down with its client and another one answers from the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-ask-'));
  const log = join(folder, 'effects.jsonl');
  const args = [...RUN, programAt('payments-server.ts'), log, join(folder, 'server.db'), '1000'];
  const source = { command: process.execPath, args };
  const isUnderWay = (): boolean => readEffectLog(log).length > 0;
  const all = await outlive(join(folder, 'client.db'), source, 2, isUnderWay);
  const done = new Map<string, number>();
  for (const { args: given } of readEffectLog(log))
    done.set(String(given.operationId), 1 + (done.get(String(given.operationId)) ?? 0));
  check(all, done);
  rmSync(folder, { recursive: true, force: true });
});

function check(all: readonly Ended[], done: ReadonlyMap<string, number>): void {
  expect(all.length).toBeGreaterThan(0);
  expect(all.filter(({ state }) => state === 'in_doubt' || state === 'sent')).toEqual([]);
  const wrong = all.filter(
    ({ operationId, state }) => (done.get(operationId) ?? 0) !== (state === 'completed' ? 1 : 0),
  );
  expect(wrong).toEqual([]);
  const count = (state: string, by?: string): number =>
    all.filter((each) => each.state === state && each.resolvedBy === by).length;
  console.log(
    `${all.length} operations: ${count('completed')} completed before the kill, ${count('completed', 'server')} by the server's word, ${count('failed', 'server')} failed by it`,
  );
}
