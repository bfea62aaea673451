// scoreboard: the same-key race, the stale holder and the kill test, for MCP-Tx and for peers as they come from npm.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeasureContext } from 'measure';
import { runMeasured, UsageError } from 'measure';
import { kill } from './kill.ts';
import { race } from './race.ts';
import { stale } from './stale.ts';
import { startStore } from './store.ts';
import { SUBJECTS } from './subjects.ts';
import type { Row, TrialName } from './table.ts';
import { table } from './table.ts';
import type { Outcome, Trial } from './trial.ts';

const TRIALS: Readonly<Record<TrialName, (trial: Trial) => Promise<Outcome>>> = { race, stale, kill };
const FAULTS: Readonly<Record<TrialName, string>> = {
  race: 'calls at once for keys that others call for',
  stale: 'calls whose process was stopped beyond its lease',
  kill: 'kill -9',
};
const PAGE = new URL('../../../docs/scoreboard.md', import.meta.url);

interface Flags {
  readonly subject: string;
  readonly trial: string;
  readonly race: number;
  readonly 'race-of-peers': number;
  readonly stale: number;
  readonly kill: number;
  readonly write: boolean;
}

await runMeasured({
  command: 'scoreboard',
  about: 'runs the same-key race, the stale holder and the kill test for MCP-Tx and its peers',
  flags: {
    subject: {
      kind: 'choice',
      says: 'only this one',
      default: 'all',
      choices: ['all', ...Object.keys(SUBJECTS)],
    },
    trial: { kind: 'choice', says: 'only this one', default: 'all', choices: ['all', ...Object.keys(TRIALS)] },
    race: { kind: 'integer', says: 'keys of a race', default: 2_000, min: 1, max: 100_000 },
    'race-of-peers': { kind: 'integer', says: 'keys of a race of a peer', default: 200, min: 1, max: 100_000 },
    stale: { kind: 'integer', says: 'keys whose holder is stopped', default: 200, min: 1, max: 100_000 },
    kill: { kind: 'integer', says: 'keys whose holder is killed, 20 at a time', default: 40, min: 1, max: 100_000 },
    write: {
      kind: 'switch',
      says: 'write the table to docs/scoreboard.md; lines of trials that this run left out stay',
    },
  },
  run,
});

async function run(context: MeasureContext<Flags>): Promise<void> {
  const { flags } = context;
  const ids = Object.keys(SUBJECTS).filter((id) => flags.subject === 'all' || flags.subject === id);
  const trials = (Object.keys(TRIALS) as TrialName[]).filter((name) => flags.trial === 'all' || flags.trial === name);
  const all = ids.flatMap((id) => trials.filter((trial) => has(id, trial)).map((trial) => ({ id, trial })));
  if (all.length === 0) throw new UsageError(`${flags.subject} has no trial ${flags.trial}`);
  for (const { trial } of all) context.planFault(FAULTS[trial]);
  const rows: Row[] = [];
  for (const { id, trial } of all) {
    context.signal.throwIfAborted();
    rows.push({ id, trial, ...(await runTrial(context, id, trial)) });
    context.progress(rows.length, all.length, `trials, last ${id} ${trial}`);
  }
  context.out.write(`${table(rows)}\n`);
  if (flags.write) writeFileSync(PAGE, page(context, rows));
}

/** What may repeat differs from the default in what a stale holder may do, and in nothing else. */
function has(id: string, trial: TrialName): boolean {
  const subject = SUBJECTS[id];
  return trial === 'stale' || subject?.isOurs !== true || !subject.mayRepeat;
}

async function runTrial(context: MeasureContext<Flags>, id: string, trial: TrialName): Promise<Pick<Row, 'end'>> {
  const subject = SUBJECTS[id];
  if (subject === undefined) throw new UsageError(`there is no subject ${id}`);
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-scoreboard-'));
  try {
    await using store = await startStore(subject.store, folder);
    const job = { subject: id, address: store.address, effects: join(folder, 'effects.jsonl') };
    const keys = context.flags[trial === 'race' && !subject.isOurs ? 'race-of-peers' : trial];
    const outcome = await TRIALS[trial]({ job, keys, signal: context.signal });
    context.fault(FAULTS[trial], outcome.faults);
    const { refusals, ...figures } = outcome;
    for (const [figure, value] of Object.entries(figures)) context.figure(`${id}.${trial}.${figure}`, value);
    for (const [why, times] of refusals) context.say(`${id} ${trial}: ${times} calls refused, ${why}`);
    if (subject.isOurs) judge(context, id, trial, outcome);
    return { end: outcome };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    context.say(`${id} ${trial}: ${error instanceof Error ? error.stack : why}`);
    if (subject.isOurs) context.violation(`${id}.${trial}`, `not run: ${why}`);
    return { end: `not run: ${why}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What peers do is told and not judged. */
function judge(context: MeasureContext<Flags>, id: string, trial: TrialName, seen: Outcome): void {
  const must = (what: string, count: number): void => {
    if (count > 0) context.violation(`${id}.${trial}`, `${count} of ${seen.keys} keys ${what}`);
  };
  if (SUBJECTS[id]?.mayRepeat !== true) must('ran twice', seen.ranTwice);
  must('were overwritten', seen.overwritten);
  must('never ran', seen.neverRan);
  must('got no answer', seen.stuck);
  if (trial === 'race') must('are in doubt though nothing failed', seen.inDoubt);
}

function page({ flags, seed }: MeasureContext<Flags>, rows: readonly Row[]): string {
  const sizes = `--race ${flags.race} --race-of-peers ${flags['race-of-peers']} --stale ${flags.stale} --kill ${flags.kill}`;
  return `<!-- Generated by \`npm run scoreboard -- ${sizes} --seed ${seed} --write\`; do not edit. -->

# Scoreboard

The same three trials for MCP-Tx and for libraries that one might take instead, each as it comes from npm, with its own defaults but for
leases: 15 s in the race, where nobody is to lose one, and 1 s in the other two. Effects are counted in a file that the work itself writes; no counter of a library is believed. Each trial has a server of its own.

- **race**: 20 callers in 4 processes call for the same key at the same time.
- **stale**: a process is stopped (\`SIGSTOP\`) in the middle of its calls for longer than its lease, another one calls for the same keys, the
  first one wakes up, and a third one asks. *Overwritten*: the second caller was told a result, and the third one another.
- **kill**: a process is killed (\`kill -9\`) after its work has happened and before its answer, and another one calls for the same keys.

\`\`\`sh
npm run scoreboard -- ${sizes} --write
\`\`\`

${table(rows, existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '')}

Columns count keys. *Ran twice* is not always a broken promise: read it beside what a library promises. *No answer* are keys for which nobody got a
result, though the caller waited 20 s (40 s in a race). *In doubt* are keys of which MCP-Tx says that nobody can know; an operator or a probe ends that.
`;
}
