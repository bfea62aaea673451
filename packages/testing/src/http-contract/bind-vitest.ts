/** Turns the HTTP contract's cases into vitest tests. */
import { describe, test } from 'vitest';
import { httpCases } from '../http-contract.ts';
import type { HttpCase, HttpHostFixture, HttpNeed } from './fixture.ts';
import { runHttpCase } from './run-case.ts';

/** A case, or all cases with a need, that a host does not run, and why. */
export type HttpSkip =
  | { readonly id: HttpCase['id']; readonly reason: string }
  | { readonly need: HttpNeed; readonly reason: string };

const CASE_TIMEOUT_MS = 30_000;

/**
 * Declares one test for each case of the HTTP contract. A case whose needs the fixture does not meet fails unless it is skipped
 * by name, with a reason that the test report shows.
 *
 * @throws Error when a skip names a case that does not exist.
 */
export function describeHttpContract(
  name: string,
  fixture: HttpHostFixture,
  options: { readonly skip?: readonly HttpSkip[] } = {},
): void {
  const skips = options.skip ?? [];
  for (const skip of skips) {
    if ('id' in skip && !httpCases.some(({ id }) => id === skip.id)) throw new Error(`there is no case ${skip.id}`);
  }
  describe(`${name} keeps the HTTP contract`, () => {
    for (const one of httpCases) {
      const skip = skips.find((skip) => ('id' in skip ? skip.id === one.id : one.needs.includes(skip.need)));
      const row = one.attack === undefined ? '' : ` (attack ${one.attack})`;
      if (skip !== undefined) test.skip(`${one.id} — skipped: ${skip.reason}`);
      else test(`${one.id} — ${one.title}${row}`, () => runHttpCase(one, fixture), CASE_TIMEOUT_MS);
    }
  });
}
