import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const program = join(import.meta.dirname, 'programs', 'sample.ts');

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr, report: lastLine(stdout) };
}

function lastLine(stdout: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}

describe('with --json', () => {
  it('prints one JSON object and nothing else on stdout', () => {
    const { status, stdout, stderr, report } = run('--json', '--seed', '7');
    expect(report).toEqual({
      ok: true,
      command: 'sample',
      seed: 7,
      commit: expect.stringMatching(/^([0-9a-f]{40}(-dirty)?|unknown)$/),
      seconds: expect.any(Number),
      figures: { calls: 3 },
      faults: { drop: 2 },
      violations: [],
    });
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain('text for people');
  });

  it.each([
    ['violation', { id: 'I1', says: 'an effect happened twice' }],
    ['missing-fault', { id: 'fault-never-injected', says: 'the fault "drop" was planned and never injected' }],
    ['throw', { id: 'crash', says: 'broken on purpose' }],
    ['uncaught', { id: 'crash', says: 'nobody handles this' }],
    ['stuck', { id: 'stuck', says: 'the run waits for something that can no longer happen' }],
    ['nan', { id: 'crash', says: 'figure "ratio" must be a finite number, it is NaN' }],
  ])('is not ok and exits 1 when it ends with %s', (end, violation) => {
    const { status, report } = run('--json', '--end', end);
    expect(report).toMatchObject({ ok: false });
    expect(report?.violations).toContainEqual(violation);
    expect(status).toBe(1);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('reports and exits 1 when %s stops it', async (signal) => {
    const child = spawn(process.execPath, [program, '--json', '--end', 'wait']);
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    await once(child.stderr, 'data');
    child.kill(signal);
    const [status] = await once(child, 'close');
    expect(lastLine(stdout)).toMatchObject({
      ok: false,
      violations: [{ id: 'interrupted', says: `${signal} stopped the run before its end` }],
    });
    expect(status).toBe(1);
  });
});

describe('without --json', () => {
  it('tells figures, faults, seed and how it went', () => {
    const { status, stdout } = run('--seed', '7', '--calls', '4');
    expect(stdout).toMatch(/text for people[\s\S]*figures\n {2}calls {2}4\n[\s\S]*drop {2}2\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^sample: ok · [\d.]+ s · seed 7 · commit /);
    expect(status).toBe(0);
  });

  it('names what was violated', () => {
    const { status, stdout } = run('--end', 'violation');
    expect(stdout).toContain('  I1: an effect happened twice\n');
    expect(stdout).toContain('sample: NOT OK, 1 violation');
    expect(status).toBe(1);
  });

  it('takes another seed each time and tells it', () => {
    const seeds = [run('--json'), run('--json')].map(({ report }) => report?.seed);
    expect(seeds[0]).toEqual(expect.any(Number));
    expect(seeds[0]).not.toBe(seeds[1]);
  });
});

describe('flags', () => {
  it('--help shows every flag and runs nothing', () => {
    const { status, stdout } = run('--help');
    expect(stdout).toContain('Usage: sample [flags]');
    expect(stdout).toMatch(/--calls <n> +how many \(default 3\)/);
    expect(stdout).toMatch(/--seed <n> +the same seed makes the same choices\n/);
    expect(stdout).not.toContain('text for people');
    expect(status).toBe(0);
  });

  it.each([
    [['--cals', '4'], "sample: Unknown option '--cals'"],
    [['stray'], "sample: Unexpected argument 'stray'"],
    [['--calls', '11'], 'sample: --calls must be a whole number from 1 to 10; it is "11"'],
    [['--calls', '1.5'], 'sample: --calls must be a whole number from 1 to 10; it is "1.5"'],
    [['--calls', ''], 'sample: --calls must be a whole number from 1 to 10; it is ""'],
    [['--seed', '-1'], "sample: Option '--seed' argument is ambiguous"],
    [['--seed=-1'], 'sample: --seed must be a whole number from 0 to 4294967295; it is "-1"'],
    [['--end', 'badly'], 'sample: --end must be one of well, violation,'],
  ])('%j exits 2 with a sentence and the usage', (args, sentence) => {
    const { status, stdout, stderr } = run(...args);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('Usage: sample [flags]');
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

describe('one of several programs', () => {
  it('runs the one that is named, with the flags after the name', () => {
    const { status, report } = run('one-of', 'sample', '--json', '--calls', '5');
    expect(report).toMatchObject({ ok: true, figures: { calls: 5 } });
    expect(status).toBe(0);
  });

  it.each([
    [[], 'samples: say which program'],
    [['other'], 'samples: there is no program "other"'],
    [['toString'], 'samples: there is no program "toString"'],
  ])('%j exits 2 and lists the programs', (args, sentence) => {
    const { status, stderr } = run('one-of', ...args);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('  sample  ends in the way that was asked for');
    expect(status).toBe(2);
  });
});
