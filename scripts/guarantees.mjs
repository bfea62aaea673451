// Writes docs/GUARANTEES.md; with --check it only says whether the page is up to date and every promise has a test.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { guarantees } from '../test/guarantees.ts';
import { allCitations, coverageProblems, guaranteesPage } from './lib/guarantees.ts';
import { read, root } from './lib/workspace.ts';

const page = join('docs', 'GUARANTEES.md');
const citations = allCitations();
const text = guaranteesPage(guarantees, citations);

if (process.argv.includes('--check')) {
  const problems = [...coverageProblems(guarantees, citations)];
  if (!existsSync(join(root, page)) || read(page) !== text)
    problems.push(`${page} is out of date; run: npm run guarantees:update`);
  for (const problem of problems) console.error(`guarantees: ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} else {
  writeFileSync(join(root, page), text);
  console.log(`guarantees: wrote ${page}`);
}

const later = guarantees.filter(({ provenBy }) => provenBy === 'later');
const proven = guarantees.filter(({ id }) => citations.some((citation) => citation.id === id));
console.log(`guarantees: ${proven.length} proven by tests, ${later.length} not proven yet`);
for (const { id, why } of later) console.log(`  ${id} not proven yet: ${why}`);
