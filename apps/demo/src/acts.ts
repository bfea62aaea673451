/** The two acts of the demo, and that both sides play each of them at the same time, on files of their own. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Job, Side } from './job.ts';
import { SIDES } from './job.ts';
import { AT_ONCE } from './settings.ts';
import type { Progress } from './show/progress.ts';
import { startProgress } from './show/progress.ts';
import type { SideResult } from './side-run.ts';
import { runSide } from './side-run.ts';
import type { Range } from './work/lane.ts';
import { SERVERS } from './work/lane.ts';
import { writeTickets } from './work/tickets.ts';

/** One act. */
export interface Act {
  readonly range: Range;
  readonly atOnce: number;
  /** The servers suffer faults. */
  readonly faultSeed?: number;
  /** The program is killed half-way and started again. */
  readonly killHalfWay: boolean;
}

/** How both sides came through an act. */
export type ActResult = Readonly<Record<Side, SideResult>>;

/** The servers fail; the program lives, and makes one call after the other. */
export function serversFail(calls: number, faultSeed: number): Act {
  return { range: { from: 1, to: calls }, atOnce: 1, faultSeed, killHalfWay: false };
}

/** The servers are well; the program dies with several calls under way. */
export function programDies(calls: number): Act {
  return { range: { from: calls + 1, to: 2 * calls }, atOnce: AT_ONCE, killHalfWay: true };
}

/** Where one side keeps its files. */
export function sideFolder(folder: string, side: Side): string {
  return join(folder, side);
}

/** Makes the folders of both sides, with the tickets of all acts. */
export function prepareFolders(folder: string, range: Range): void {
  for (const side of SIDES) {
    mkdirSync(sideFolder(folder, side));
    writeTickets(sideFolder(folder, side), range);
  }
}

/** Plays an act on both sides. When one fails, the other is stopped. */
export async function playAct(
  act: Act,
  folder: string,
  out: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<ActResult> {
  const total = act.range.to - act.range.from + 1;
  const progress = startProgress({ out, sides: SIDES, servers: SERVERS, total });
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  try {
    const [raw, mcpTx] = SIDES.map((side) =>
      playSide(act, side, folder, progress, either).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ) as [Promise<SideResult>, Promise<SideResult>];
    await Promise.allSettled([raw, mcpTx]);
    return { raw: await raw, mcpTx: await mcpTx };
  } finally {
    progress.stop();
  }
}

function playSide(act: Act, side: Side, folder: string, progress: Progress, signal: AbortSignal): Promise<SideResult> {
  const { range, atOnce, faultSeed, killHalfWay } = act;
  const job: Job = {
    side,
    folder: sideFolder(folder, side),
    range,
    atOnce,
    ...(faultSeed === undefined ? {} : { faultSeed }),
  };
  return runSide({ job, killHalfWay, signal, progress });
}
