// The program that plays many histories: corpus first, then the set pieces, then the seeds.
import type { MeasureContext } from 'measure';
import { addToCorpus, readCorpus } from '../corpus.ts';
import { playMany } from '../run/play-many.ts';
import type { Tally } from '../run/tally.ts';
import { add, emptyTally } from '../run/tally.ts';
import { Worker } from '../run/worker-pool.ts';
import { seedName } from '../world/model.ts';
import { FAULT_KINDS } from '../world/swarm.ts';

/** Flags that this program reads. */
export interface PlayFlags {
  readonly histories: number;
  readonly nightly: boolean;
  readonly hours: number;
}

/** A kind of fault that comes in fewer histories has not been tried. */
const LEAST_SHARE = 0.01;
/** Below so many histories, shares are chance. */
const ENOUGH_FOR_SHARES = 500;
const TOLD = 10;

/** What has to have happened for the run to prove anything. */
const MUST_HAPPEN = ['takeOvers', 'inDoubt', 'doubled', 'lateAnswers', 'effects', 'resolved'] as const;

export async function play(context: MeasureContext<PlayFlags>): Promise<void> {
  const { flags, seed, signal } = context;
  for (const kind of FAULT_KINDS) context.planFault(kind);
  const corpus = await playCorpus();
  await playScenes(context);
  const startedAt = performance.now();
  const endsAt = startedAt + flags.hours * 3_600_000;
  const tally = await playMany({
    first: seed,
    count: flags.nightly ? Number.MAX_SAFE_INTEGER : flags.histories,
    isOver: () => signal.aborted || (flags.nightly && performance.now() >= endsAt),
    onProgress: (sofar) => progress(context, sofar, startedAt),
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const kind of FAULT_KINDS) context.fault(kind, tally.faults[kind]);
  for (const id of ['histories', 'calls', 'events', 'digest', ...MUST_HAPPEN] as const) context.figure(id, tally[id]);
  context.figure('corpus', corpus.histories);
  context.figure('historiesPerSecond', Math.round(tally.histories / seconds));
  judge(context, tally);
  add(corpus, tally);
  context.figure('violations', tellFailures(context, corpus));
  if (flags.nightly) context.say(summary(tally, seconds));
}

async function playCorpus(): Promise<Tally> {
  const total = emptyTally();
  const worker = new Worker();
  try {
    for (const { seed } of readCorpus())
      add(total, await worker.do({ kind: 'histories', first: seed, count: 1, stopAtFailure: false }));
  } finally {
    worker.close();
  }
  return total;
}

async function playScenes(context: MeasureContext<PlayFlags>): Promise<void> {
  const worker = new Worker();
  try {
    const { figures, violations } = await worker.do({ kind: 'set-pieces', seed: context.seed });
    for (const [id, value] of Object.entries(figures)) context.figure(id, value);
    for (const { id, says } of violations) context.violation(id, says);
  } finally {
    worker.close();
  }
}

/** A run that tried less than it was meant to proves less than it says. */
function judge(context: MeasureContext<PlayFlags>, tally: Tally): void {
  for (const id of MUST_HAPPEN) if (tally[id] === 0) context.violation('nothing-tried', `${id} is 0 in this run`);
  if (tally.histories < ENOUGH_FOR_SHARES) return;
  for (const kind of FAULT_KINDS) {
    const share = tally.historiesWith[kind] / tally.histories;
    if (share < LEAST_SHARE)
      context.violation('too-rare', `${kind} came in ${(share * 100).toFixed(2)} % of the histories, less than 1 %`);
  }
  const least = Math.min(...FAULT_KINDS.map((kind) => tally.historiesWith[kind]));
  context.figure('rarestFaultPercent', Math.round((least / tally.histories) * 10_000) / 100);
}

/** Each failure with the command that shows it. Returns how many there are. */
function tellFailures(context: MeasureContext<PlayFlags>, { failures }: Tally): number {
  const sorted = [...failures].sort((one, other) => one.seed - other.seed);
  for (const { seed, violations, broken } of sorted.slice(0, TOLD)) {
    const says = violations[0]?.says ?? broken[0] ?? '';
    const name = seedName(seed);
    context.violation(violations[0]?.id ?? 'broken', `${says} · pnpm simulate --replay ${name}`);
    if (process.env.CI !== 'true') context.say(`kept as ${addToCorpus(seed, says)}`);
  }
  if (sorted.length > TOLD) context.violation('more', `${sorted.length - TOLD} more histories went wrong`);
  return sorted.length;
}

function progress(context: MeasureContext<PlayFlags>, sofar: Tally, startedAt: number): void {
  const { flags } = context;
  if (!flags.nightly) {
    context.progress(sofar.histories, flags.histories, 'histories');
    return;
  }
  const minutes = Math.floor((performance.now() - startedAt) / 60_000);
  context.progress(
    minutes,
    flags.hours * 60,
    `${sofar.histories} histories, ${sofar.failures.length} failures; minutes`,
  );
}

function summary(tally: Tally, seconds: number): string {
  const perFault = FAULT_KINDS.map((kind) => `${kind} ${tally.faults[kind]}`).join(', ');
  return [
    '',
    `${tally.histories} histories, ${tally.calls} calls, ${tally.events} events in ${(seconds / 3_600).toFixed(1)} h`,
    `violations ${tally.failures.length}, take-overs ${tally.takeOvers}, in doubt ${tally.inDoubt}, late answers ${tally.lateAnswers}`,
    `faults: ${perFault}`,
  ].join('\n');
}
