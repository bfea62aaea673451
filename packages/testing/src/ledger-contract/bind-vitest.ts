/** Turns the contract's cases into vitest tests. */
import { describe, test } from 'vitest';
import { ledgerCases } from '../ledger-contract.ts';
import type { LedgerCase, LedgerFixture, LedgerNeed } from './fixture.ts';

/** A case, or all cases with a need, that a ledger does not run, and why. */
export type LedgerSkip =
  | { readonly id: LedgerCase['id']; readonly reason: string }
  | { readonly need: LedgerNeed; readonly reason: string };

const CASE_TIMEOUT_MS = 60_000;

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
  const skips = options.skip ?? [];
  for (const skip of skips) {
    if ('id' in skip && !ledgerCases.some(({ id }) => id === skip.id)) throw new Error(`there is no case ${skip.id}`);
  }
  describe(`${name} keeps the ledger contract`, () => {
    for (const one of ledgerCases) {
      const skip = skips.find((skip) => ('id' in skip ? skip.id === one.id : one.needs.includes(skip.need)));
      if (skip !== undefined) test.skip(`${one.id} — skipped: ${skip.reason}`);
      else test(`${one.id} — ${one.title}`, () => runCase(one, makeFixture), CASE_TIMEOUT_MS);
    }
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
