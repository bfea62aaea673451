// All mutants, by id.
import { UsageError } from 'measure';
import { ENGINE_MUTANTS } from './engine-mutants.ts';
import { LEDGER_MUTANTS } from './ledger-mutants.ts';
import type { Mutant } from './mutant.ts';
import { SERVER_MUTANTS } from './server-mutants.ts';

export const MUTANTS: readonly Mutant[] = [...LEDGER_MUTANTS, ...ENGINE_MUTANTS, ...SERVER_MUTANTS];

/** @throws UsageError for an unknown id */
export function mutantById(id: string): Mutant {
  const found = MUTANTS.find((mutant) => mutant.id === id);
  if (found === undefined) throw new UsageError(`there is no mutant ${JSON.stringify(id)}`);
  return found;
}
