// The program that plays one history and tells it line by line.
import { spawnSync } from 'node:child_process';
import type { MeasureContext } from 'measure';
import { check } from '../checker/check.ts';
import { mutantById } from '../mutants/mutants.ts';
import { timeline } from '../timeline.ts';
import { readSeedName } from '../world/model.ts';
import { playHistory } from '../world/play-history.ts';

/** Flags that this program reads. */
export interface ReplayFlags {
  readonly replay: string;
  readonly mutant: string;
}

export async function replay(context: MeasureContext<ReplayFlags>): Promise<void> {
  const { flags } = context;
  const seed = readSeedName(flags.replay);
  if (flags.mutant !== '' && process.env.SIMULATE_MUTANT !== flags.mutant) {
    replayMutant(context);
    return;
  }
  const history = await playHistory(seed);
  context.say(`${JSON.stringify(history.plan, undefined, 2)}\n`);
  context.say(`${timeline(history)}\n`);
  const calls = history.events.filter(({ what }) => what === 'call').length;
  context.figure('calls', calls);
  context.figure('events', history.steps);
  for (const { id, op, says } of check(history)) context.violation(id, op === undefined ? says : `${op}: ${says}`);
  for (const says of history.broken) context.violation('broken', says);
}

/** A mutant lives only in a process that loads its sources anew. */
function replayMutant({ flags, violation }: MeasureContext<ReplayFlags>): void {
  const { id } = mutantById(flags.mutant);
  const loader = new URL('../mutants/load-mutant.ts', import.meta.url).href;
  const args = ['--conditions=mcp-tx:source', '--import', loader, ...process.argv.slice(1)];
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, SIMULATE_MUTANT: id },
  });
  if (status !== 0) violation('mutant', `the history of ${id} ended with exit code ${status}; see above`);
}
