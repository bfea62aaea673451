import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

interface Report {
  readonly ok: boolean;
  readonly figures: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

async function torture(...flags: readonly string[]): Promise<Report> {
  const args = ['--conditions=mcp-tx:source', main, ...flags, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Report;
}

it('[G:I1] [G:I3] nothing runs twice and nothing is lost when workers are killed in the middle of calls', {
  timeout: 120_000,
}, async () => {
  const report = await torture('--kills', '4', '--pauses', '1', '--operations', '160');
  expect(report).toMatchObject({
    ok: true,
    figures: { duplicates: 0, lost: 0, contradicted: 0, kills: 4 },
    faults: { 'kill -9': 4, 'SIGSTOP beyond the lease': 1 },
  });
  expect(report.figures.inDoubt).toBeGreaterThan(0); // kills that hit nothing prove nothing
});

it('nor when PostgreSQL is killed beneath them, and connections to it are cut', { timeout: 120_000 }, async () => {
  const faults = ['--kills', '3', '--store-kills', '1', '--cuts', '4'];
  expect(await torture('--ledger', 'postgres', ...faults, '--operations', '200')).toMatchObject({
    ok: true,
    figures: { duplicates: 0, lost: 0, kills: 3 },
    faults: { 'kill -9 of the store': 1, 'connection cut in a request or its reply': 4 },
  });
});

it('nor when the disk is full: calls wait for room', { timeout: 120_000, skip: !canMount() }, async () => {
  const report = await torture('--ledger', 'sqlite', '--kills', '1', '--disk-full', '1', '--operations', '200');
  expect(report).toMatchObject({ ok: true, figures: { duplicates: 0, lost: 0 }, faults: { 'disk full': 1 } });
  expect(report.figures.refusals).toBeGreaterThan(0);
});

it('a worker that sees Redis lose writes stops, and sends nothing more', { timeout: 120_000 }, async () => {
  const report = await torture('--ledger', 'redis', '--kills', '1', '--lost-writes', '1', '--operations', '100');
  expect(report).toMatchObject({
    ok: true,
    figures: { 'loss-0.effectsAfter': 0, 'loss-0.duplicates': 0, 'loss-0.unanswered': 0 },
    faults: { 'last writes lost': 1 },
  });
  expect(report.figures['loss-0.refused']).toBeGreaterThan(0);
});

it('a server that recognises repeats leaves no doubt', { timeout: 120_000 }, async () => {
  const report = await torture('--ledger', 'redis', '--server', 'aware', '--kills', '3', '--operations', '120');
  expect(report).toMatchObject({ ok: true, figures: { duplicates: 0, lost: 0, inDoubt: 0, completed: 120, kills: 3 } });
});

it('[G:Q3] jobs of BullMQ neither run twice nor get lost when workers and Redis are killed (T45)', {
  timeout: 180_000,
}, async () => {
  const report = await torture('--queue', 'bullmq', '--kills', '2', '--operations', '80');
  expect(report).toMatchObject({
    ok: true,
    figures: { 'aware.duplicates': 0, 'aware.lost': 0, 'aware.completed': 80, 'plain.duplicates': 0, 'plain.lost': 0 },
    faults: { 'kill -9': 6 },
  });
  expect(report.figures['plain.deadLetters']).toBe(report.figures['plain.inDoubt']);
});

it('a fault that a store cannot have is a mistake, and no run', { timeout: 30_000 }, async () => {
  const flags = ['--store-kills', '--cuts', '--lost-writes'];
  const runs = flags.map((flag) => expect(torture('--ledger', 'sqlite', flag, '1')).rejects.toMatchObject({ code: 2 }));
  await Promise.all(runs);
});

/** A full disk is one of the run's own, and to mount it takes rights that not everybody has. */
function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-mount-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'mcp-tx-test', folder]);
  if (status === 0) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return status === 0;
}
