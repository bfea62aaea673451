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

/** One line for each trial. Lines of `former`, a page with such a table, stay where no row takes their place. */
export function table(rows: readonly Row[], former = ''): string {
  const lines = rows.map(({ id, trial, end }) => {
    const { label = id, store = '', promises = '' } = SUBJECTS[id] ?? {};
    if (typeof end === 'string') return [label, store, trial, end, ...Array<string>(5).fill(''), promises];
    const { keys, ranTwice, overwritten, neverRan, inDoubt, stuck } = end;
    return [label, store, trial, ...[keys, ranTwice, overwritten, neverRan, inDoubt, stuck].map(String), promises];
  });
  const kept = former.split('\n').filter((line) => line.startsWith('| ') && !/^\| (who|---) /.test(line));
  const byName = new Map(kept.map((line) => [nameOf(line), line]));
  for (const cells of lines) byName.set(nameOf(toLine(cells)), toLine(cells));
  return [toLine(HEAD), toLine(HEAD.map(() => '---')), ...byName.values()].join('\n');
}

function toLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Who, store and trial. */
function nameOf(line: string): string {
  return line.split(' | ').slice(0, 3).join(' | ');
}
