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

it('[G:I1] [G:I3] nothing runs twice and nothing is lost when workers are killed in the middle of calls', {
  timeout: 120_000,
}, async () => {
  const args = ['--conditions=mcp-tx:source', main, '--kills', '4', '--operations', '120', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Report;
  expect(report).toMatchObject({ ok: true, figures: { duplicates: 0, lost: 0, kills: 4 }, faults: { 'kill -9': 4 } });
  expect(report.figures.inDoubt).toBeGreaterThan(0); // kills that hit nothing prove nothing
});
