/** Ends an operation whose lease is lost: its record has the last word, and what this owner knows for certain ends doubt. */
import type { OperationRecord } from '../ledger/record.ts';
import { isTerminal } from '../ledger/record.ts';
import type { Outcome } from '../outcome/outcome.ts';
import type { Classification } from '../policy/classify.ts';
import { replay } from './claim-operation.ts';
import type { EndedWith, FlightEnd } from './flight-end.ts';
import { refused } from './flight-end.ts';
import { FOR_EVER, insist } from './ledger-write.ts';
import type { Run } from './run.ts';

/** Nothing ran. */
export type FailedOutcome = Extract<Outcome, { readonly state: 'failed' }>;

/** The end is known. An answer is worth having, also now; that nothing ran is true of this owner's sends only. */
export async function endLate(run: Run, known: EndedWith): Promise<FlightEnd> {
  const { ports, flight } = run;
  const { operationId } = flight.plan;
  run.loseLease();
  const { outcome } = known;
  if (outcome.state === 'in_doubt') return { ...known, recorded: false };
  if (outcome.state === 'failed') return endOvertaken(run, known, outcome);
  const resolution = { outcome, by: 'late-answer', reason: 'the answer came after the lease was taken over' };
  const answer = await insist(ports, flight, 'resolve', FOR_EVER, (ledger) => ledger.resolve(operationId, resolution));
  if (answer.kind === 'not_found' || answer.kind === 'not_in_doubt') return known;
  if (answer.kind === 'contradicted') ports.events.emit('operation.contradicted', { operationId });
  const stored = answer.record.outcome ?? outcome;
  if (stored.state !== 'completed') return known; // it ran, whatever was said meanwhile
  return { ...known, outcome: stored, recorded: true, attempts: Math.max(known.attempts, answer.record.attempts) };
}

/** None of this owner's sends ran: what the record says counts, unless all the sends that it counts were this owner's. */
export async function endOvertaken(
  run: Run,
  fallback: FlightEnd,
  outcome: FailedOutcome | undefined,
): Promise<FlightEnd> {
  const { ports, flight } = run;
  const { operationId } = flight.plan;
  const record = await insist(ports, flight, 'release', FOR_EVER, (ledger) => ledger.find(operationId));
  if (record === undefined || (record.state === 'claimed' && record.leaseUntil === 0)) return fallback;
  if (record.state === 'in_doubt' && outcome !== undefined && knowsAllSends(run, record)) return clear(run, outcome);
  if (isTerminal(record.state)) return replay(record);
  return refused('IN_PROGRESS', `${operationId} was taken over by another process`, {}, record.attempts);
}

/** Nothing of this owner's has left: others go on with the operation, and it follows them, unless they took its send for one. */
export async function followOthers(run: Run, verdict: Classification): Promise<FlightEnd | 'reclaim'> {
  const { ports, flight } = run;
  const record = await insist(ports, flight, 'release', FOR_EVER, (ledger) => ledger.find(flight.plan.operationId));
  const outcome = notExecuted(verdict);
  if (record?.state !== 'in_doubt' || outcome === undefined || !knowsAllSends(run, record)) return 'reclaim';
  return clear(run, outcome);
}

/** What a record in doubt is told by an owner of whose sends none ran; `undefined` when that cannot be said. */
export function notExecuted(verdict: Classification): FailedOutcome | undefined {
  if (verdict.class === 'unknown') return undefined;
  const message = `the owner that sent it knows that nothing ran: ${verdict.says}`.slice(0, 2_000);
  return { state: 'failed', error: { code: 'NOT_EXECUTED', message } };
}

/** Nobody has claimed it since, or nobody has sent since: whoever takes over goes on counting from where this owner was. */
function knowsAllSends(run: Run, record: OperationRecord): boolean {
  return run.isClean && (record.fence === run.held?.lease.fence || record.attempts === run.attempt);
}

async function clear(run: Run, outcome: FailedOutcome): Promise<FlightEnd> {
  const { ports, flight } = run;
  const { operationId } = flight.plan;
  const resolution = { outcome, by: 'late-answer', reason: outcome.error.message };
  const answer = await insist(ports, flight, 'resolve', FOR_EVER, (ledger) => ledger.resolve(operationId, resolution));
  if (answer.kind === 'resolved') {
    ports.events.emit('operation.resolved', { operationId, by: resolution.by, outcome: outcome.state });
  }
  return answer.kind === 'not_found' ? refused('OPERATION_NOT_FOUND', `${operationId} is gone`) : replay(answer.record);
}
