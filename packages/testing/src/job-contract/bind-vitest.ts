/** Turns the job contract's cases into vitest tests. */
import type { CaseSkip } from '../declare-cases.ts';
import { declareCases } from '../declare-cases.ts';
import { jobCases } from '../job-contract.ts';
import type { JobCase, JobHostFixture } from './fixture.ts';
import { runJobCase } from './run-case.ts';

/** A case, or all cases with a need, that a host does not run, and why. */
export type JobSkip = CaseSkip<JobCase>;

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
  declareCases(`${name} keeps the job contract`, {
    cases: jobCases,
    skip: options.skip,
    timeoutMs: 60_000,
    run: (one) => runJobCase(one, fixture),
  });
}
