/** One side's way through one act: a worker does the work, is killed half-way if the act says so, and its traces are counted. */
import type { McpTx } from '@mcp-tx/core';
import { countAmbiguous } from './faults.ts';
import type { Job, Side } from './job.ts';
import { faultPlanOf, lanesOf } from './job.ts';
import type { Doubt } from './mcp-tx/finish-work.ts';
import { finishWork } from './mcp-tx/finish-work.ts';
import { openLedger, openTx } from './mcp-tx/open-tx.ts';
import { resolveByLog } from './mcp-tx/operator.ts';
import { injectedFaults, serverCommand } from './servers.ts';
import type { Progress } from './show/progress.ts';
import type { Tally } from './tally.ts';
import { tallyOf } from './tally.ts';
import type { Lane, ServerName } from './work/lane.ts';
import type { WorkerRun } from './worker-process.ts';
import { runWorker } from './worker-process.ts';

/** How one lane ended. */
export interface LaneResult {
  readonly server: ServerName;
  readonly tally: Tally;
  readonly doubts: readonly Doubt[];
  /** Operations that the caller was told are in doubt and that the ledger does not list. */
  readonly unlisted: readonly string[];
  /** Calls of this act that a fault of the server or of the way to it left without an answer. */
  readonly ambiguous: number;
}

/** How one side came through one act. */
export interface SideResult {
  readonly side: Side;
  readonly lanes: readonly LaneResult[];
  readonly seconds: number;
  /** Process ids: of the worker that was killed, and of the one that was started in its place. */
  readonly pids: readonly number[];
  readonly kills: number;
  /** Calls that the ledger had as sent when the worker was killed; the retry loop keeps no such list. */
  readonly inFlight: number;
  /** Calls that the retry loop gave up on. */
  readonly gaveUp: number;
}

/** What to run, and with what. */
export interface SideRun {
  readonly job: Job;
  readonly killHalfWay: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Runs it. */
export async function runSide({ job, killHalfWay, signal, progress }: SideRun): Promise<SideResult> {
  const startedAt = performance.now();
  const { side } = job;
  const lanes = lanesOf(job);
  const onDone = (server: ServerName, done: number): void => progress.show(side, server, done);
  const runs: WorkerRun[] = [];
  let inFlight = 0;
  if (killHalfWay) {
    const half = halfWay(job);
    const killWhen = (done: ReadonlyMap<ServerName, number>): boolean => Math.max(...done.values()) >= half;
    runs.push(await runWorker(job, { signal, onDone, killWhen }));
    for (const { server } of lanes)
      progress.note(side, server, `kill -9 at ${runs[0]?.done.get(server) ?? 0}, started again`);
    if (side === 'mcpTx') inFlight = await countSent(job.folder);
  }
  runs.push(await runWorker(job, { signal, onDone }));
  const ends = side === 'mcpTx' ? await finishLanes(job, lanes, killHalfWay, runs, signal) : [];
  for (const { server } of lanes) progress.end(side, server);
  return {
    side,
    lanes: lanes.map((lane, i) => ({
      server: lane.server,
      tally: tallyOf(lane),
      doubts: ends[i]?.doubts ?? [],
      unlisted: ends[i]?.unlisted ?? [],
      ambiguous: job.faultSeed === undefined ? 0 : countAmbiguous(injectedFaults(lane.server, job.folder), lane.tool),
    })),
    seconds: (performance.now() - startedAt) / 1_000,
    pids: runs.map(({ pid }) => pid),
    kills: runs.filter(({ killed }) => killed).length,
    inFlight,
    gaveUp: runs.reduce((sum, { gaveUp }) => sum + gaveUp.size, 0),
  };
}

/** The number of calls after which the worker is killed: in the middle of a batch, between two it would be too kind a death. */
function halfWay({ range, atOnce }: Job): number {
  const half = (range.to - range.from + 1) / 2;
  return Math.floor(half / atOnce) * atOnce + Math.ceil(atOnce / 2);
}

interface LaneEnd {
  readonly doubts: readonly Doubt[];
  readonly unlisted: readonly string[];
}

async function finishLanes(
  job: Job,
  lanes: readonly Lane[],
  probeCharges: boolean,
  runs: readonly WorkerRun[],
  signal: AbortSignal,
): Promise<readonly LaneEnd[]> {
  await using ledger = openLedger(job.folder);
  const finish = async (lane: Lane): Promise<LaneEnd> => {
    const { server } = lane;
    const command = serverCommand(server, job.folder, faultPlanOf(job, lane));
    const tx = await openTx({ server, command, ledger, probeCharges, stderr: 'ignore' });
    try {
      const endDoubt = server === 'payments' && !probeCharges ? resolveByLog : undefined;
      const doubts = await finishWork(tx, lane, signal, endDoubt);
      const told = runs.flatMap((run) => [...run.toldInDoubt].filter(([, name]) => name === server).map(([id]) => id));
      return { doubts, unlisted: await unlistedOf(tx, new Set(told)) };
    } finally {
      await tx.close(signal.aborted ? { graceMs: 0 } : {});
    }
  };
  return await Promise.all(lanes.map(finish)); // the ledger stays open until then
}

/** Whatever a caller was told is in doubt must have come to an end that can be looked up, or be listed. */
async function unlistedOf(tx: McpTx, told: ReadonlySet<string>): Promise<readonly string[]> {
  const unlisted: string[] = [];
  for (const operationId of told) {
    const record = await tx.getOperation(operationId);
    if (record === undefined || record.state === 'sent') unlisted.push(operationId);
  }
  return unlisted;
}

async function countSent(folder: string): Promise<number> {
  await using ledger = openLedger(folder);
  const { byState } = await ledger.stats({ states: ['sent'] });
  return byState.sent;
}
