import { expect, it } from 'vitest';
import { runBounded } from '../../src/runtime/bounded-run.ts';

it.each([
  [
    'a loop',
    () => {
      for (;;);
    },
  ],
  ['a regular expression', () => /^(a+)+$/.test(`${'a'.repeat(40)}!`)],
])('cuts %s off', (_what, work: () => unknown) => {
  const startedAt = performance.now();
  expect(() => runBounded(50, work)).toThrow(/timed out/);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

it('gives what the work gives, and what it throws', () => {
  expect(runBounded(1_000, () => 7)).toBe(7);
  const thrown = new TypeError('no');
  expect(() =>
    runBounded(1_000, () => {
      throw thrown;
    }),
  ).toThrow(thrown);
});

it('may be asked from work of its own', () => {
  const inner = () => runBounded(1_000, () => 'inner');
  expect(runBounded(1_000, () => [inner(), inner()])).toEqual(['inner', 'inner']);
});
