/** Turns the job contract's cases into vitest tests. */
import { describe, test } from 'vitest';
import { jobCases } from '../job-contract.ts';
import type { JobCase, JobHostFixture, JobNeed } from './fixture.ts';
import { runJobCase } from './run-case.ts';

/** A case, or all cases with a need, that a host does not run, and why. */
export type JobSkip =
  | { readonly id: JobCase['id']; readonly reason: string }
  | { readonly need: JobNeed; readonly reason: string };

const CASE_TIMEOUT_MS = 60_000;

/**
 * Declares one test for each case of the job contract. A case whose needs the fixture does not meet fails unless it is skipped
 * by name, with a reason that the test report shows.
 *
 * @throws Error when a skip names a case that does not exist.
 */
export function describeJobContract(
  name: string,
  fixture: JobHostFixture,
  options: { readonly skip?: readonly JobSkip[] } = {},
): void {
  const skips = options.skip ?? [];
  for (const skip of skips) {
    if ('id' in skip && !jobCases.some(({ id }) => id === skip.id)) throw new Error(`there is no case ${skip.id}`);
  }
  describe(`${name} keeps the job contract`, () => {
    for (const one of jobCases) {
      const skip = skips.find((skip) => ('id' in skip ? skip.id === one.id : one.needs.includes(skip.need)));
      if (skip !== undefined) test.skip(`${one.id} — skipped: ${skip.reason}`);
      else test(`${one.id} — ${one.title}`, () => runJobCase(one, fixture), CASE_TIMEOUT_MS);
    }
  });
}
