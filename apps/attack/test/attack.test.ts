import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it.each([
  ['express', 24],
  ['bullmq', 15],
] as const)(
  'every row of the attack list holds against %s, and the report says how many',
  async (host, rows) => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const args = [
      '--conditions=mcp-tx:source',
      '--disable-warning=ExperimentalWarning',
      main,
      `--host=${host}`,
      '--json',
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
      readonly ok: boolean;
      readonly figures: Readonly<Record<string, number>>;
    };
    expect(report).toMatchObject({ ok: true, violations: [] });
    expect(report.figures[`${host}.rows`]).toBeGreaterThanOrEqual(rows);
    expect(report.figures[`${host}.rowsPassed`]).toBe(report.figures[`${host}.rows`]);
  },
  60_000,
);
