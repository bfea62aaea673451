// Counts what happened in many histories: faults, what followed from them, and promises that did not hold.
import { hash } from 'node:crypto';
import type { Violation } from '../checker/facts.ts';
import type { History } from '../world/history.ts';
import type { FaultKind } from '../world/swarm.ts';
import { FAULT_KINDS } from '../world/swarm.ts';

/** A history that went wrong. */
interface Failure {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Something threw where nothing may: a defect, but no proof that a promise was broken. */
  readonly broken: readonly string[];
}

/** What many histories came to. Plain data: it travels between processes. */
export interface Tally {
  histories: number;
  calls: number;
  events: number;
  takeOvers: number;
  inDoubt: number;
  doubled: number;
  lateAnswers: number;
  effects: number;
  resolved: number;
  /** 32 bits that are the same when all histories are, in whatever order they were played. */
  digest: number;
  readonly faults: Record<FaultKind, number>;
  /** Histories in which a kind of fault happened. */
  readonly historiesWith: Record<FaultKind, number>;
  readonly failures: Failure[];
}

export function emptyTally(): Tally {
  const zeros = (): Record<FaultKind, number> =>
    Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  return {
    histories: 0,
    calls: 0,
    events: 0,
    takeOvers: 0,
    inDoubt: 0,
    doubled: 0,
    lateAnswers: 0,
    effects: 0,
    resolved: 0,
    digest: 0,
    faults: zeros(),
    historiesWith: zeros(),
    failures: [],
  };
}

/** Adds one history. */
export function count(tally: Tally, history: History, violations: readonly Violation[]): void {
  tally.histories += 1;
  tally.events += history.steps;
  tally.digest = (tally.digest ^ Number.parseInt(hash('sha256', JSON.stringify(history.events)).slice(0, 8), 16)) >>> 0;
  tally.inDoubt += history.records.filter(({ state }) => state === 'in_doubt').length;
  const seen = new Set<FaultKind>();
  const answered = new Map<number, number>();
  for (const event of history.events) {
    if (event.what === 'call') tally.calls += 1;
    else if (event.what === 'effect') tally.effects += 1;
    else if (event.what === 'resolve') tally.resolved += 1;
    else if (event.what === 'store' && event.answer === 'taken-over') tally.takeOvers += 1;
    else if (event.what === 'arrive' && event.doubled) tally.doubled += 1;
    else if (event.what === 'answer') answered.set(event.call, event.at);
    else if (event.what === 'fault') {
      tally.faults[event.kind] += 1;
      seen.add(event.kind);
    }
  }
  tally.lateAnswers += lateAnswersIn(history, answered);
  for (const kind of seen) tally.historiesWith[kind] += 1;
  if (violations.length > 0 || history.broken.length > 0)
    tally.failures.push({ seed: history.plan.seed, violations, broken: history.broken });
}

/** Adds one tally to another. */
export function add(total: Tally, part: Tally): void {
  const sums = [
    'histories',
    'calls',
    'events',
    'takeOvers',
    'inDoubt',
    'doubled',
    'lateAnswers',
    'effects',
    'resolved',
  ] as const;
  for (const sum of sums) total[sum] += part[sum];
  total.digest = (total.digest ^ part.digest) >>> 0;
  for (const kind of FAULT_KINDS) {
    total.faults[kind] += part.faults[kind];
    total.historiesWith[kind] += part.historiesWith[kind];
  }
  total.failures.push(...part.failures);
}

/** Results that reached a process when the caller who had it sent was gone already. */
function lateAnswersIn({ events }: History, answeredAt: ReadonlyMap<number, number>): number {
  const callOf = new Map<string, number>();
  for (const event of events) {
    if (event.what === 'answer' && event.requestId !== undefined) callOf.set(event.requestId, event.call);
  }
  const senderOf = new Map<number, string>();
  let late = 0;
  for (const event of events) {
    if (event.what === 'send') senderOf.set(event.message, event.requestId);
    if (event.what !== 'end' || event.proves !== 'result') continue;
    const call = callOf.get(senderOf.get(event.message) ?? '');
    const at = call === undefined ? undefined : answeredAt.get(call);
    if (at !== undefined && at < event.at) late += 1;
  }
  return late;
}
