/** Turns the HTTP contract's cases into vitest tests. */
import type { CaseSkip } from '../declare-cases.ts';
import { declareCases } from '../declare-cases.ts';
import { httpCases } from '../http-contract.ts';
import type { HttpCase, HttpHostFixture } from './fixture.ts';
import { runHttpCase } from './run-case.ts';

/** A case, or all cases with a need, that a host does not run, and why. */
export type HttpSkip = CaseSkip<HttpCase>;

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
  declareCases(`${name} keeps the HTTP contract`, {
    cases: httpCases.map((one) => ({ ...one, title: titleOf(one) })),
    skip: options.skip,
    timeoutMs: 30_000,
    run: (one) => runHttpCase(one, fixture),
  });
}

function titleOf({ title, attack }: HttpCase): string {
  return attack === undefined ? title : `${title} (attack ${attack})`;
}
