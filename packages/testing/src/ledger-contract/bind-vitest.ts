/** Turns the contract's cases into vitest tests. */
import type { CaseSkip } from '../declare-cases.ts';
import { declareCases } from '../declare-cases.ts';
import { ledgerCases } from '../ledger-contract.ts';
import type { LedgerCase, LedgerFixture, LedgerNeed } from './fixture.ts';

/** A case, or all cases with a need, that a ledger does not run, and why. */
export type LedgerSkip = CaseSkip<LedgerCase>;

/**
 * Declares one test for each case of the ledger contract. A case whose needs the fixture does not meet fails unless it is
 * skipped by name, with a reason that the test report shows.
 *
 * @throws Error when a skip names a case that does not exist.
 */
export function describeLedgerContract(
  name: string,
  makeFixture: () => Promise<LedgerFixture>,
  options: { readonly skip?: readonly LedgerSkip[] } = {},
): void {
  declareCases(`${name} keeps the ledger contract`, {
    cases: ledgerCases,
    skip: options.skip,
    timeoutMs: 60_000,
    run: (one) => runCase(one, makeFixture),
  });
}

async function runCase(one: LedgerCase, makeFixture: () => Promise<LedgerFixture>): Promise<void> {
  const fixture = await makeFixture();
  try {
    for (const need of one.needs) requireNeed(fixture, need);
    await one.run(fixture);
  } finally {
    await fixture.close();
  }
}

function requireNeed(fixture: LedgerFixture, need: LedgerNeed): void {
  const member = ({ durable: 'reopen', shared: 'worker', clock: 'advance', outage: 'breakStore' } as const)[need];
  if (fixture[member] === undefined)
    throw new Error(`the fixture has no ${member}: add it, or skip { need: '${need}', reason }`);
}
