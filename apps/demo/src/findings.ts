/** What a run found out, as figures, as faults, and as promises that did not hold. */
import type { MeasureContext } from 'measure';
import type { ActResult } from './acts.ts';
import { sideFolder } from './acts.ts';
import { countKinds, FAULT_KINDS } from './faults.ts';
import type { Side } from './job.ts';
import { SIDES } from './job.ts';
import { injectedFaults } from './servers.ts';
import type { LaneResult } from './side-run.ts';
import type { Tally } from './tally.ts';
import { addTallies, sum } from './tally.ts';
import { SERVERS } from './work/lane.ts';

/** The sums over all acts. */
export interface Findings {
  readonly raw: Tally;
  readonly mcpTx: Tally;
  readonly inDoubt: number;
  readonly inDoubtListed: number;
  readonly resolved: number;
  readonly filesystemInDoubtLeft: number;
  /** How many calls could be in doubt at most: left without an answer by a fault, or under way when the worker was killed. */
  readonly ambiguous: number;
}

/** Adds up what the acts brought. */
export function findingsOf(acts: readonly ActResult[]): Findings {
  const lanes = acts.flatMap(({ mcpTx }) => mcpTx.lanes);
  const doubts = lanes.flatMap((lane) => lane.doubts);
  const listed = doubts.length;
  return {
    raw: addTallies(acts.flatMap(({ raw }) => raw.lanes.map(({ tally }) => tally))),
    mcpTx: addTallies(lanes.map(({ tally }) => tally)),
    inDoubt: listed + sum(lanes.map(({ unlisted }) => unlisted.length)),
    inDoubtListed: listed,
    resolved: doubts.filter(({ end }) => end !== 'still in doubt').length,
    filesystemInDoubtLeft: sum(lanes.filter(({ server }) => server === 'filesystem').map(leftInDoubt)),
    ambiguous: sum(lanes.map(({ ambiguous }) => ambiguous)) + sum(acts.map(({ mcpTx }) => mcpTx.inFlight)),
  };
}

/** Tells the figures. */
export function tellFigures(context: MeasureContext, found: Findings): void {
  for (const side of SIDES) {
    for (const [name, count] of Object.entries(found[side])) context.figure(`${side}.${name}`, count);
  }
  for (const name of ['inDoubt', 'inDoubtListed', 'resolved', 'filesystemInDoubtLeft', 'ambiguous'] as const) {
    context.figure(`mcpTx.${name}`, found[name]);
  }
}

/** Announces every fault that both sides must suffer; the retry loop's have a prefix. */
export function announceFaults(context: MeasureContext): void {
  for (const side of SIDES)
    for (const kind of [...FAULT_KINDS, 'kill-worker']) context.planFault(faultName(side, kind));
}

/** Tells the faults that were really injected, by the proxies' own logs. */
export function tellFaults(context: MeasureContext, folder: string, acts: readonly ActResult[]): void {
  for (const side of SIDES) {
    for (const server of SERVERS) {
      const injected = countKinds(injectedFaults(server, sideFolder(folder, side)));
      for (const [kind, count] of injected) context.fault(faultName(side, kind), count);
    }
    context.fault(faultName(side, 'kill-worker'), sum(acts.map((act) => act[side].kills)));
  }
}

/** Tells what did not hold. */
export function tellViolations(context: MeasureContext, found: Findings): void {
  const { raw, mcpTx, inDoubt, inDoubtListed, ambiguous, filesystemInDoubtLeft } = found;
  const mustBeZero = (id: string, count: number, says: string): void => {
    if (count !== 0) context.violation(id, `${count} ${says}`);
  };
  mustBeZero('mcpTx.duplicates', mcpTx.duplicates, 'effects too many with MCP-Tx');
  mustBeZero('mcpTx.lost', mcpTx.lost, 'operations never happened with MCP-Tx');
  mustBeZero('mcpTx.inDoubtListed', inDoubt - inDoubtListed, 'operations in doubt are not listed');
  mustBeZero('mcpTx.filesystemInDoubtLeft', filesystemInDoubtLeft, 'edits are in doubt although they can be looked up');
  if (inDoubt > ambiguous)
    context.violation('mcpTx.inDoubt', `${inDoubt} operations in doubt, and only ${ambiguous} calls without an answer`);
  if (raw.duplicates === 0) context.violation('raw.duplicates', 'the faults made the retry loop do nothing twice');
  if (raw.lost === 0) context.violation('raw.lost', 'the faults made the retry loop lose nothing');
}

function faultName(side: Side, kind: string): string {
  return side === 'mcpTx' ? kind : `${side}.${kind}`;
}

function leftInDoubt({ doubts }: LaneResult): number {
  return doubts.filter(({ end }) => end === 'still in doubt').length;
}
