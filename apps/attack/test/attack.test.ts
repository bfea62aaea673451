import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('every row of the attack list holds against a host, and the report says how many', async () => {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const args = [
    '--conditions=mcp-tx:source',
    '--disable-warning=ExperimentalWarning',
    main,
    '--host=express',
    '--json',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
    readonly ok: boolean;
    readonly figures: Readonly<Record<string, number>>;
  };
  expect(report).toMatchObject({ ok: true, violations: [] });
  expect(report.figures['express.rows']).toBeGreaterThanOrEqual(24);
  expect(report.figures['express.rowsPassed']).toBe(report.figures['express.rows']);
}, 60_000);
