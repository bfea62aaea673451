import { describe, expect, it } from 'vitest';
import { allCitations, citationsIn, coverageProblems, guaranteesPage } from '../scripts/lib/guarantees.ts';
import type { Guarantee } from './guarantees.ts';
import { guarantees } from './guarantees.ts';

it('every guarantee is cited by a test, and every citation is of a guarantee', () => {
  expect(coverageProblems(guarantees, allCitations())).toEqual([]);
});

describe('citations', () => {
  const cited = (text: string) => citationsIn('a.test.ts', text).map(({ id }) => id);

  it.each([
    "it('[G:I1] holds', () => {});",
    'test("holds [G:I1]", () => {});',
    "it.concurrent('[G:I1] holds', () => {});",
    "describe(\n  '[G:I1] holds',\n  () => {});",
    "it.each([['(a)'], [f(1)]])('[G:I1] holds', () => {});",
    "const cases = [{ id: 'a', title: '[G:I1] holds' }];",
    'it(`[G:I1] holds`, () => {});',
  ])('%j cites', (text) => {
    expect(cited(text)).toEqual(['I1']);
  });

  it.each([
    "// it('[G:I1] holds', () => {});",
    "/* it('[G:I1] holds') */",
    "it.skip('[G:I1] holds', () => {});",
    "it.todo('[G:I1] holds');",
    "describe.skip('[G:I1] holds', () => {});",
    "it.skip.each([1])('[G:I1] holds', () => {});",
    "const text = '[G:I1]';",
    "expect(text).toContain('[G:I1]');",
    "it('holds', () => {}); // [G:I1]",
  ])('%j does not cite', (text) => {
    expect(cited(text)).toEqual([]);
  });

  it('tells the place and the title without the ids', () => {
    expect(citationsIn('a.test.ts', "\nit('[G:I1][G:I2] one  effect', f);")).toEqual([
      { id: 'I1', file: 'a.test.ts', line: 2, title: 'one effect' },
      { id: 'I2', file: 'a.test.ts', line: 2, title: 'one effect' },
    ]);
  });
});

describe('coverage', () => {
  const promise: Guarantee = { id: 'I1', says: 'It holds.', source: 'somewhere' };
  const later: Guarantee = { ...promise, provenBy: 'later', why: 'the package that could break it is not written' };
  const citation = { id: 'I1', file: 'a.test.ts', line: 3, title: 'holds' };

  it('is fine when each promise has a test', () => {
    expect(coverageProblems([promise], [citation])).toEqual([]);
    expect(coverageProblems([later], [])).toEqual([]);
  });

  it.each([
    ['no test', [promise], [], 'I1 is cited by no test'],
    ['an unknown id', [promise], [citation, { ...citation, id: 'I9' }], 'a.test.ts:3 cites I9, which'],
    ['an empty id', [promise], [citation, { ...citation, id: '' }], 'a.test.ts:3 cites nothing, which'],
    ['a promise made twice', [promise, promise], [citation], 'I1 stands twice'],
    ['later, but cited', [later], [citation], 'I1 is cited by a test now'],
    ['later without a reason', [{ ...later, why: '' }], [], 'I1 is not proven yet and does not say why'],
  ])('complains about %s', (_what, promises, citations, sentence) => {
    expect(coverageProblems(promises, citations)).toEqual([expect.stringContaining(sentence)]);
  });

  it('the page names the tests, and says openly what has none', () => {
    expect(guaranteesPage([promise], [citation])).toContain(
      'It holds.\n\nWhy: somewhere.\n\nProven by:\n\n- `a.test.ts`: holds\n',
    );
    expect(guaranteesPage([later], [])).toContain('**Not proven yet.** the package that could break it');
    expect(guaranteesPage([later], [])).toContain('0 of 1 promises are proven by tests in this repository; 1 is not');
  });
});
