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

async function scoreboard(...flags: readonly string[]): Promise<Report> {
  const args = ['--conditions=mcp-tx:source', main, ...flags, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Report;
}

it('nothing runs twice in a race, after a stale holder or after a kill', { timeout: 120_000 }, async () => {
  const sizes = ['--race', '20', '--stale', '10', '--kill', '10'];
  expect(await scoreboard('--subject', 'mcp-tx.sqlite', ...sizes)).toMatchObject({
    ok: true,
    figures: {
      'mcp-tx.sqlite.race.ranTwice': 0,
      'mcp-tx.sqlite.stale.ranTwice': 0,
      'mcp-tx.sqlite.stale.overwritten': 0,
      'mcp-tx.sqlite.kill.ranTwice': 0,
      'mcp-tx.sqlite.kill.inDoubt': 10, // all had happened, and nobody had heard of it
    },
    faults: { 'kill -9': 1, 'calls whose process was stopped beyond its lease': 10 },
  });
});

it('a second run and an overwritten result are seen where they happen', { timeout: 120_000 }, async () => {
  const { figures } = await scoreboard('--subject', 'powertools-outside', '--race-of-peers', '10', '--trial', 'race');
  expect(figures['powertools-outside.race.ranTwice']).toBeGreaterThan(0);
  expect(figures['powertools-outside.race.overwritten']).toBeGreaterThan(0);
});
