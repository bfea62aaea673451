import { execFile } from 'node:child_process';
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
  const report = await torture('--kills', '4', '--operations', '120');
  expect(report).toMatchObject({ ok: true, figures: { duplicates: 0, lost: 0, kills: 4 }, faults: { 'kill -9': 4 } });
  expect(report.figures.inDoubt).toBeGreaterThan(0); // kills that hit nothing prove nothing
});

it('nor when PostgreSQL is killed beneath them', { timeout: 120_000 }, async () => {
  const report = await torture('--ledger', 'postgres', '--kills', '4', '--store-kills', '2', '--operations', '300');
  expect(report).toMatchObject({ ok: true, figures: { duplicates: 0, lost: 0, kills: 4 } });
  expect(report.faults['kill -9 of the store']).toBeGreaterThan(0);
});

it('a server that recognises repeats leaves no doubt', { timeout: 120_000 }, async () => {
  const report = await torture('--ledger', 'redis', '--server', 'aware', '--kills', '4', '--operations', '120');
  expect(report).toMatchObject({ ok: true, figures: { duplicates: 0, lost: 0, inDoubt: 0, completed: 120, kills: 4 } });
});

it('jobs of BullMQ neither run twice nor get lost when workers and Redis are killed (T45)', {
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

it('a file has no server to kill', async () => {
  await expect(torture('--ledger', 'sqlite', '--store-kills', '1')).rejects.toMatchObject({ code: 2 });
});
