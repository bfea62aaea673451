// The one way to run a program that measures: flags in, one report out, exit code 0 ok, 1 not ok, 2 wrong usage.
import type { Flags, FlagValues } from './flags.ts';
import { readFlags, UsageError, usage } from './flags.ts';
import type { MeasureContext } from './measurement.ts';
import { Measurement } from './measurement.ts';
import { Progress } from './progress.ts';
import { describeReport } from './report.ts';
import { sourceCommit } from './source-commit.ts';
import { watchProcess } from './watch-process.ts';

/** A program that measures something. */
export interface MeasuredProgram<F extends Flags = Flags> {
  /** Its name in the report and in --help, as one types it: `bench engine`. */
  readonly command: string;
  /** One sentence for --help. */
  readonly about: string;
  /** The seed when nobody gives one. Left out: another one each time, told in the report. */
  readonly seed?: number;
  readonly flags?: F;
  run(context: MeasureContext<FlagValues<F>>): Promise<void>;
}

/**
 * Runs one program with the flags of the command line and sets the exit code. A throw, a rejection that nobody handles
 * and a run that never ends although nothing is left to wait for are violations, so a report always comes.
 */
export async function runMeasured<const F extends Flags>(
  program: MeasuredProgram<F>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const flags = program.flags ?? ({} as F);
  const seed = program.seed ?? Math.floor(Math.random() * 2 ** 32);
  try {
    const [common, own] = readFlags(argv, flags, seed);
    if (common.help) console.log(usage(program.command, program.about, flags));
    else await measure(program, own, common.seed, common.json);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${program.command}: ${error.message}\n\n${usage(program.command, program.about, flags)}`);
    process.exitCode = 2;
  }
}

/** Runs the program that the first argument names: `bench engine --json`. No name or a wrong one lists them. */
export async function runOneOf(
  command: string,
  // biome-ignore lint/suspicious/noExplicitAny: programs with different flags have no common supertype but this
  programs: Readonly<Record<string, MeasuredProgram<any>>>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const [name, ...rest] = argv;
  const program = name !== undefined && Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program) return runMeasured(program, rest);
  const width = Math.max(...Object.keys(programs).map((key) => key.length));
  const list = Object.entries(programs).map(([key, { about }]) => `  ${key.padEnd(width)}  ${about}`);
  const help = [`Usage: ${command} <program> [flags]`, '', ...list, '', `${command} <program> --help shows its flags.`];
  if (name === '--help') return console.log(help.join('\n'));
  const mistake = name === undefined ? 'say which program' : `there is no program "${name}"`;
  console.error([`${command}: ${mistake}`, '', ...help].join('\n'));
  process.exitCode = 2;
}

async function measure<F extends Flags>(
  program: MeasuredProgram<F>,
  flags: FlagValues<F>,
  seed: number,
  json: boolean,
): Promise<void> {
  const { command } = program;
  const measurement = new Measurement();
  const progress = new Progress(process.stderr, () => performance.now());
  const abort = new AbortController();
  const out = json ? process.stderr : process.stdout;
  const startedAt = performance.now();
  let reported = false;

  const report = () => {
    if (reported) return;
    reported = true;
    progress.end();
    const seconds = Math.round(performance.now() - startedAt) / 1000;
    const found = measurement.report({ command, seed, commit: sourceCommit(), seconds });
    console.log(json ? JSON.stringify(found) : describeReport(found));
    process.exitCode = found.ok ? 0 : 1;
  };
  const crashed = (error: unknown) => {
    progress.end();
    out.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    measurement.violation('crash', error instanceof Error ? error.message : String(error));
  };
  const stopWatching = watchProcess({
    onUncaught: crashed,
    onStuck: () => {
      measurement.violation('stuck', 'the run waits for something that can no longer happen');
      report();
    },
    onSignal: (name) => {
      measurement.violation('interrupted', `${name} stopped the run before its end`);
      abort.abort(new Error(`stopped by ${name}`));
    },
    onSignalIgnored: report,
  });

  try {
    await program.run({
      command,
      seed,
      flags,
      signal: abort.signal,
      out,
      say: (line) => {
        progress.end();
        out.write(`${line}\n`);
      },
      progress: (count, total, what) => progress.show(count, total, what),
      figure: (id, value) => measurement.figure(id, value),
      planFault: (kind) => measurement.planFault(kind),
      fault: (kind, count = 1) => measurement.fault(kind, count),
      violation: (id, says) => measurement.violation(id, says),
    });
  } catch (error) {
    if (error instanceof UsageError) {
      reported = true; // there was no run
      stopWatching();
      throw error;
    }
    // What a run throws because it was told to stop is no second finding.
    if (!abort.signal.aborted) crashed(error);
  }
  report();
  stopWatching();
}
