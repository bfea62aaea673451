// The program that breaks one rule after the other and counts the histories until an outside invariant notices.
import type { MeasureContext } from 'measure';
import { MUTANTS, mutantById } from '../mutants/mutants.ts';
import type { Hunt } from '../run/kill-mutants.ts';
import { killMutants } from '../run/kill-mutants.ts';
import { playMany } from '../run/play-many.ts';
import { seedName } from '../world/model.ts';

/** Flags that this program reads. */
export interface HuntFlags {
  readonly only: string;
  readonly 'max-seeds': number;
}

export async function hunt(context: MeasureContext<HuntFlags>): Promise<void> {
  const { flags, seed } = context;
  const chosen = flags.only === '' ? MUTANTS : [mutantById(flags.only)];
  let done = 0;
  const hunts = await killMutants(seed, flags['max-seeds'], chosen, () => {
    done += 1;
    context.progress(done, chosen.length, 'mutants');
  });
  for (const each of hunts) tell(context, each);
  const killed = hunts.filter(({ seeds }) => seeds !== undefined);
  const most = Math.max(0, ...killed.map(({ seeds = 0 }) => seeds));
  context.figure('mutants', hunts.length);
  context.figure('killed', killed.length);
  context.figure('equivalents', hunts.filter(({ mutant }) => mutant.equivalent !== undefined).length);
  context.figure('mostSeeds', most);
  await control(context, most);
}

/** The sources as they are, on the same seeds: a checker that cries wolf kills everything. */
async function control(context: MeasureContext<HuntFlags>, seeds: number): Promise<void> {
  const count = Math.max(seeds, 500);
  const tally = await playMany({
    first: context.seed,
    count,
    isOver: () => context.signal.aborted,
    onProgress: (sofar) => context.progress(sofar.histories, count, 'histories of the unmutated control'),
  });
  context.figure('control.histories', tally.histories);
  context.figure('control.violations', tally.failures.length);
  if (tally.failures.length > 0)
    context.violation('control', 'the unmutated sources break an invariant on these seeds');
}

function tell(context: MeasureContext<HuntFlags>, { mutant, seeds, by, says, seed }: Hunt): void {
  const { id, breaks, equivalent } = mutant;
  if (seeds === undefined) {
    context.say(
      `${id.padEnd(34)} survived      ${breaks}${equivalent === undefined ? '' : ` (equivalent: ${equivalent})`}`,
    );
    if (equivalent === undefined) context.violation('survived', `the mutant ${id} survived: "${breaks}" is not proven`);
    return;
  }
  context.say(`${id.padEnd(34)} ${String(seeds).padStart(6)} ${String(by).padEnd(4)} ${breaks}`);
  const how = seed === undefined ? 'a set piece' : `pnpm simulate --replay ${seedName(seed)} --mutant ${id}`;
  context.say(`${''.padEnd(34)}             ${says} · ${how}`);
  context.figure(`seeds.${id}`, seeds);
  if (equivalent !== undefined)
    context.violation('no-equivalent', `${id} was said to be equivalent, and ${by} noticed it`);
}
