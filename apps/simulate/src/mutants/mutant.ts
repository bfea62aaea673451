// What a mutant is: a rule of the design, and the change of the sources that breaks just this rule.

/** A change of one source file: a text that occurs once in it, and what stands there instead. */
export interface Edit {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A broken version of the sources. It exists only in the memory of the process that loads it. */
export interface Mutant {
  readonly id: string;
  /** The rule that it breaks. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** Why no outside observer can tell it from the original: such a mutant must survive. */
  readonly equivalent?: string;
}

const LEDGER = 'packages/core/src/ledger';
const ENGINE = 'packages/core/src/engine';
const POLICY = 'packages/core/src/policy';
const WORLD = 'apps/simulate/src/world';

/** Where the sources of each part lie. */
export const FOLDERS = { LEDGER, ENGINE, POLICY, WORLD } as const;

/** @throws Error when the text to change is not there exactly once: the sources have moved on, and the mutant has not */
export function applyEdit(source: string, { file, find, replace }: Edit): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(`mutant: ${JSON.stringify(find)} occurs ${parts.length - 1} times in ${file}`);
  return parts.join(replace);
}
