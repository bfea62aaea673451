// Type-checks every TypeScript example of the documents against the sources, and runs those that are marked `ts run`.
// An example that does not compile is worse than none: people copy it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inDocument, moduleName, moduleText, readSnippets } from './lib/snippets.ts';
import { filesIn, packages, read, root, shown } from './lib/workspace.ts';

const RUN_TIMEOUT_MS = 30_000;
const workshop = join(root, 'test', 'snippets');
const generated = join(workshop, '.generated');

const documents = ['README.md', 'README.ja.md', 'AGENTS.md', 'CONTRIBUTING.md', ...filesIn('docs', ['.md'])]
  .filter((file) => !shown(file).startsWith('docs/api/')) // reports, not examples
  .concat(packages.map(({ folder }) => join(folder, 'README.md')))
  .filter((file) => existsSync(join(root, file)))
  .map((file) => readSnippets(shown(file), read(file)));
const snippets = documents.flatMap((document) => document.snippets);
const checked = snippets.filter(({ mode }) => mode !== 'no-check');

const problems = documents.flatMap((document) => document.problems).concat(typeErrors());
if (problems.length === 0) problems.push(...checked.filter(({ mode }) => mode === 'run').flatMap(runErrors));
for (const problem of problems) console.error(`snippets: ${problem}`);
const ran = checked.filter(({ mode }) => mode === 'run').length;
console.log(
  `snippets: ${checked.length} type-checked, ${ran} of them run, ${snippets.length - checked.length} exempt with a reason`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function typeErrors() {
  rmSync(generated, { recursive: true, force: true });
  mkdirSync(generated);
  for (const snippet of checked) writeFileSync(join(generated, moduleName(snippet)), moduleText(snippet));
  if (checked.length === 0) return [];
  const { status, stdout, stderr } = spawnSync('tsc', ['--pretty', 'false'], { cwd: workshop, encoding: 'utf8' });
  if (status === 0) return [];
  const messages = `${stdout}${stderr}`.trim().split('\n');
  return messages.map((message) => inDocument(message, checked));
}

function runErrors(snippet) {
  const cwd = mkdtempSync(join(tmpdir(), 'mcp-tx-snippet-'));
  try {
    const args = ['--conditions=mcp-tx:source', join(generated, moduleName(snippet))];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd,
      encoding: 'utf8',
      timeout: RUN_TIMEOUT_MS,
    });
    if (status === 0) return [];
    return [`${snippet.file}:${snippet.line} ended with ${status ?? signal} when it was run\n${stdout}${stderr}`];
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
