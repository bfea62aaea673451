// Everything that must hold before a change is merged, in one command: cheap and telling steps first, the tests last, so
// that their count is the last line. Steps named as arguments run alone: `npm run check -- lint types`.
import { spawn } from 'node:child_process';
import { root } from './lib/workspace.ts';

const color = process.stdout.isTTY === true;
const TURBO = ['turbo', 'run', '--output-logs=errors-only', '--log-order=grouped'];
const STEPS = [
  {
    id: 'lint',
    says: 'format and lint',
    run: [['biome', 'ci', `--colors=${color ? 'force' : 'off'}`, '--error-on-warnings', '.']],
  },
  { id: 'types', says: 'types of all sources and tests', run: [['tsc'], [...TURBO, 'typecheck']] },
  { id: 'guarantees', says: 'each guarantee has its test', run: [['node', 'scripts/guarantees.mjs', '--check']] },
  { id: 'snippets', says: 'examples of the documents', run: [['node', 'scripts/check-snippets.mjs']] },
  { id: 'build', says: 'build of the packages', run: [[...TURBO, 'build']] },
  {
    id: 'unused',
    says: 'unused files, exports and dependencies',
    run: [['knip', '--no-config-hints', '--no-progress']],
    needs: 'build', // knip counts what the built declarations import; those of the last build would hide something
  },
  { id: 'packages', says: 'what would be published', run: [[...TURBO, 'package:check']] },
  { id: 'api', says: 'public API against docs/api', run: [['node', 'scripts/api-report.mjs']], needs: 'build' },
  { id: 'size', says: 'size of the entries', run: [['size-limit']], needs: 'build' },
  { id: 'tests', says: 'tests', run: [['vitest', 'run']], shown: true },
];

let running;
let stopped = false;
// Some programs end with 0 when they are told to stop; that is no success of ours.
process.on('SIGTERM', () => {
  stopped = true;
  running?.kill('SIGTERM');
});

const wanted = process.argv.slice(2);
const unknown = wanted.filter((id) => !STEPS.some((step) => step.id === id));
if (unknown.length > 0) {
  console.error(`check: there is no step ${unknown.join(', ')}; the steps are ${STEPS.map(({ id }) => id).join(', ')}`);
  process.exit(2);
}

for (const step of stepsToRun()) {
  const startedAt = performance.now();
  // The tests show themselves as they run, and the last word is theirs: their count.
  if (step.shown) console.log(`• ${step.id.padEnd(10)} to run them again alone: npm run check -- ${step.id}`);
  const { code, output } = await runStep(step);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(5);
  if (!step.shown) console.log(`${code === 0 ? '✓' : '✗'} ${step.id.padEnd(10)} ${seconds} s  ${step.says}`);
  if (code === 0) continue;
  process.exitCode = code;
  if (stopped) console.log(`check: stopped during "${step.id}"`);
  else if (!step.shown) {
    console.log(`\n${output.trimEnd()}\n`);
    console.log(`check: "${step.id}" failed. To run it again alone: npm run check -- ${step.id}`);
  }
  break;
}

/** What was asked for, and before a step that reads dist the build. */
function stepsToRun() {
  const chosen = STEPS.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
  const needed = chosen.flatMap(({ needs = [] }) => needs);
  return STEPS.filter((step) => chosen.includes(step) || needed.includes(step.id));
}

async function runStep({ run, shown }) {
  let output = '';
  for (const [command, ...args] of run) {
    const code = await new Promise((resolve) => {
      const child = spawn(command, args, {
        cwd: root,
        env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', [color ? 'FORCE_COLOR' : 'NO_COLOR']: '1' },
        stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (chunk) => {
          output += chunk;
        });
      }
      running = child;
      child.on('error', (error) => {
        output += `${command}: ${error.message}\n`;
        resolve(1);
      });
      child.on('close', (status, signal) => resolve(stopped || signal ? 1 : status));
    });
    if (code !== 0) return { code, output };
  }
  return { code: 0, output };
}
