// bench hub: what the calls to seventeen healthy servers lose when three others of their hub hang, flap and answer garbage.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hub } from '@mcp-tx/core';
import type { MeasureContext, MeasuredProgram } from 'measure';
import { HEALTHY, openHub, TROUBLED } from './hub/servers.ts';
import { median } from './interleave.ts';

/** Callers of each server, each with one call after the other. */
const CALLERS = 4;
/** After a call that failed at once. A caller that spins measures only itself. */
const PAUSE_MS = 5;
/** What the seventeen may lose, and how far two equal windows may differ before nothing can be said. */
const LOSS_AT_MOST = 0.05;
const NULL_AT_MOST = 0.05;

const flags = {
  rounds: { kind: 'integer', says: 'comparisons of calm and trouble', default: 8, min: 1, max: 1_000 },
  window: { kind: 'integer', says: 'milliseconds of each measurement', default: 1_000, min: 100, max: 60_000 },
} as const;

/** The program. */
export const hub: MeasuredProgram<typeof flags> = {
  command: 'bench hub',
  about: 'what healthy servers of a hub lose to those that are not',
  seed: 1,
  flags,
  run,
};

async function run(context: MeasureContext<{ readonly rounds: number; readonly window: number }>): Promise<void> {
  const { rounds, window } = context.flags;
  const world = await openHub();
  const ended = new Map<string, number>();
  const calm = (): Promise<number> => callsIn(world.hub, window, undefined);
  const troubled = (): Promise<number> => callsIn(world.hub, window, ended);
  await calm();
  const nulls: number[] = [];
  const kept: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    context.progress(round, rounds, 'rounds');
    const before = await calm();
    const during = await troubled();
    const after = await calm();
    nulls.push(after / before);
    kept.push((2 * during) / (before + after));
  }
  const failures = [...ended].filter(([code]) => code !== 'ok').reduce((sum, [, count]) => sum + count, 0);
  report(context, { nulls, kept, failures, flaps: world.flaps() });
  context.say(
    `the troubled three: ${[...ended].map(([code, count]) => `${code} ${count}`).join(', ')}; ${world.flaps()} flaps`,
  );
  await world.close();
}

interface Taken {
  readonly nulls: readonly number[];
  readonly kept: readonly number[];
  readonly failures: number;
  readonly flaps: number;
}

function report(context: MeasureContext<object>, { nulls, kept, failures, flaps }: Taken): void {
  const [still, share] = [median(nulls), median(kept)];
  context.figure('null', Math.round(still * 1_000) / 1_000);
  context.figure('kept', Math.round(share * 1_000) / 1_000);
  context.figure('troubles', failures);
  context.say(`null ${still.toFixed(3)}  calm against calm`);
  context.say(
    `kept ${share.toFixed(3)}  calls to the healthy seventeen while the others misbehave, over calls while they rest`,
  );
  if (Math.abs(still - 1) > NULL_AT_MOST)
    context.violation('null', `${still.toFixed(3)}: the machine was too busy to tell`);
  if (share < 1 - LOSS_AT_MOST) context.violation('kept', `${share.toFixed(3)} is less than ${1 - LOSS_AT_MOST}`);
  if (failures === 0 || flaps === 0) context.violation('troubles', 'nothing went wrong, so nothing was shown');
}

/** Calls that the healthy servers answered within `windowMs`; the others are called, too, when `ended` counts their ends. */
async function callsIn(hub: Hub, windowMs: number, ended: Map<string, number> | undefined): Promise<number> {
  let calls = 0;
  const until = performance.now() + windowMs;
  const caller = async (name: string, onEnd: (code: string) => void): Promise<void> => {
    while (performance.now() < until) {
      const outcome = await hub.tryCallTool(name, 'pay', {});
      if (performance.now() < until) onEnd(outcome.ok ? 'ok' : outcome.error.code);
      if (!outcome.ok) await sleep(PAUSE_MS);
    }
  };
  const callersOf = (names: readonly string[], onEnd: (code: string) => void): Promise<void>[] =>
    names.flatMap((name) => Array.from({ length: CALLERS }, () => caller(name, onEnd)));
  const healthy = callersOf(HEALTHY, (code) => {
    if (code === 'ok') calls += 1;
  });
  const others = ended === undefined ? [] : callersOf(TROUBLED, (code) => ended.set(code, (ended.get(code) ?? 0) + 1));
  await Promise.all([...healthy, ...others]);
  return calls;
}
