// The simulation itself, in a short size: it holds, it is the same each time, and it says what is wrong with its input.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addToCorpus, readCorpus } from '../src/corpus.ts';
import { timeline } from '../src/timeline.ts';
import { readSeedName, seedName } from '../src/world/model.ts';
import { playHistory } from '../src/world/play-history.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function simulate(...flags: readonly string[]): Promise<Ended> {
  const args = ['--conditions=mcp-tx:source', MAIN, ...flags];
  const options = { env: { ...process.env, CI: 'true' }, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

/** Another one than by hand, so that both together see more. */
const SEED_OF_CI = 1_000_000;

it('[G:I1] [G:I2] [G:I3] [G:I4] [G:I5] [G:I6] [G:I7] [G:I8] [G:I9] [G:I10] [G:I11] [G:I13] hold in thousands of histories of faults', {
  timeout: 300_000,
}, async () => {
  const { stdout, code } = await simulate('--histories', '3000', '--seed', String(SEED_OF_CI), '--json');
  const { ok, violations, figures } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
  expect(violations).toEqual([]);
  expect([ok, code]).toEqual([true, 0]);
  expect(figures.calls).toBeGreaterThan(54_000);
  expect(figures.corpus).toBe(readCorpus().length);
});

it('notices rules that are broken', { timeout: 300_000 }, async () => {
  for (const mutant of ['no-fence', 'retry-unknown', 'server-claims-late', 'retry-budget-off']) {
    const { stdout } = await simulate('--mutants', '--only', mutant, '--json');
    const { ok, figures } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
    expect([mutant, ok, figures.killed, figures['control.violations']]).toEqual([mutant, true, 1, 0]);
  }
});

it('plays the same history for the same seed, and another for another', async () => {
  const [one, again, other] = [await playHistory(42), await playHistory(42), await playHistory(43)];
  expect(timeline(again)).toBe(timeline(one));
  expect(timeline(other)).not.toBe(timeline(one));
});

it('tells a history line by line', async () => {
  const { stdout, code } = await simulate('--replay', seedName(42));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ +\d+\.\d {2}p\d: call 0 of \w+ \(/m);
  expect(stdout).toMatch(/^ +\d+\.\d {2}server: EFFECT of #\d+/m);
});

describe('bad input', () => {
  it.each([
    [['--history', '5'], "Unknown option '--history'"],
    [['--histories', '0'], '--histories must be a whole number from 1'],
    [['--replay', '582'], '"582" is no seed of a history; it looks like 1-'],
    [['--replay', '99-582'], '99-582 is a seed of model 99, and this is model 1: it would be another history'],
    [['--replay', '1-99999999999'], 'is no seed of a history'],
    [['--mutants', '--only', 'no-such'], 'there is no mutant "no-such"'],
    [['--replay', '1-1', '--mutant', 'no-such'], 'there is no mutant "no-such"'],
  ])('%j is refused with a sentence', { timeout: 60_000 }, async (flags, sentence) => {
    const { code, stdout, stderr } = await simulate(...flags);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(sentence);
  });

  it('a seed beyond 32 bits is refused', () => {
    expect(() => readSeedName('1-4294967296')).toThrow('is more than 4294967295');
    expect(readSeedName('1-4294967295')).toBe(4_294_967_295);
  });

  it.each([
    ['{', 'corpus/1-5.json: '],
    ['{}', 'needs a "seed" and what it "found"'],
    ['{ "seed": "0-5", "found": "x" }', 'corpus/1-5.json: 0-5 is a seed of model 0'],
  ])('a damaged corpus file is named: %s', (text, sentence) => {
    const folder = mkdtempSync(join(tmpdir(), 'corpus-'));
    try {
      writeFileSync(join(folder, '1-5.json'), text);
      expect(() => readCorpus(folder)).toThrow(sentence);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a seed is kept once, with the first thing that it found', () => {
    const folder = mkdtempSync(join(tmpdir(), 'corpus-'));
    try {
      addToCorpus(7, 'one', folder);
      addToCorpus(7, 'two', folder);
      expect(readCorpus(folder)).toEqual([{ file: '1-7.json', seed: 7, found: 'one' }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
