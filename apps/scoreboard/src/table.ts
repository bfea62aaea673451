// The scoreboard as a table of Markdown.
import { SUBJECTS } from './subjects.ts';
import type { Outcome } from './trial.ts';

export type TrialName = 'race' | 'stale' | 'kill';

/** One trial of one subject; a text says why it was not run. */
export interface Row {
  readonly id: string;
  readonly trial: TrialName;
  readonly end: Outcome | string;
}

const HEAD = [
  'who',
  'store',
  'trial',
  'keys',
  'ran twice',
  'overwritten',
  'never ran',
  'in doubt',
  'no answer',
  'promises',
];

/** One line for each trial. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ id, trial, end }) => {
    const { label = id, store = '', promises = '' } = SUBJECTS[id] ?? {};
    if (typeof end === 'string') return [label, store, trial, end, ...Array<string>(5).fill(''), promises];
    const { keys, ranTwice, overwritten, neverRan, inDoubt, stuck } = end;
    return [label, store, trial, ...[keys, ranTwice, overwritten, neverRan, inDoubt, stuck].map(String), promises];
  });
  return [HEAD, HEAD.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
