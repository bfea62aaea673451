/** Turns the cases of a contract into vitest tests. */
import { describe, test } from 'vitest';

/** What every contract's cases have. */
interface DeclaredCase {
  readonly id: string;
  readonly title: string;
  readonly needs: readonly string[];
}

/** A case, or all cases with a need, that is not run, and why. */
export type CaseSkip<Case extends DeclaredCase> =
  | { readonly id: Case['id']; readonly reason: string }
  | { readonly need: Case['needs'][number]; readonly reason: string };

/** How a contract's cases are declared. */
export interface CasesToDeclare<Case extends DeclaredCase> {
  readonly cases: readonly Case[];
  readonly skip: readonly CaseSkip<Case>[] | undefined;
  /** For each case. */
  readonly timeoutMs: number;
  run(one: Case): Promise<void>;
}

/** Declares one test for each case, under a title. @throws Error when a skip names a case that does not exist */
export function declareCases<Case extends DeclaredCase>(title: string, declared: CasesToDeclare<Case>): void {
  const { cases, skip: skips = [], timeoutMs } = declared;
  for (const skip of skips) {
    if ('id' in skip && !cases.some(({ id }) => id === skip.id)) throw new Error(`there is no case ${skip.id}`);
  }
  describe(title, () => {
    for (const one of cases) {
      const skip = skips.find((skip) => ('id' in skip ? skip.id === one.id : one.needs.includes(skip.need)));
      if (skip !== undefined) test.skip(`${one.id} — skipped: ${skip.reason}`);
      else test(`${one.id} — ${one.title}`, () => declared.run(one), timeoutMs);
    }
  });
}
