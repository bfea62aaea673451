// I3 and I10: nothing is lost, and everything comes to an end once the faults have stopped.
import type { CallFacts, Facts, OpFacts, Violation } from './facts.ts';
import { effectsOf } from './facts.ts';

/** A store may be away for so long before it takes what a process knows; one that is gone by then cannot tell it. */
const LONGEST_OUTAGE_MS = 4_000;

export function checkEndings(facts: Facts): Violation[] {
  return [...facts.ops.values()].flatMap((op) => [
    ...ended(facts, op),
    ...answersCount(facts, op),
    ...keyIsFree(facts, op),
  ]);
}

/** I3, I10: whatever was claimed or had an effect stands in the list, with an end. */
function ended(facts: Facts, op: OpFacts): Violation[] {
  if (op.isForgotten) return [];
  const { record } = op;
  const wasClaimed = op.store.some((seen) => seen.method === 'claim' && seen.answer === 'claimed');
  if (record === undefined) {
    const mayBeGone = facts.history.plan.retentionMs < facts.history.endedAt;
    const everInDoubt = op.calls.some(({ answer }) => answer?.code === 'IN_DOUBT' && answer.recorded);
    if ((!wasClaimed && effectsOf(op) === 0) || (mayBeGone && !everInDoubt)) return [];
    return mayBeGone && wasResolved(facts, op) ? [] : [{ id: 'I3', op: op.op, says: 'is in no list' }];
  }
  if (record.state === 'sent' || (record.state === 'claimed' && record.leaseUntil !== 0))
    return [{ id: 'I10', op: op.op, says: `is ${record.state} long after the faults have stopped` }];
  const released = record.state === 'claimed';
  if (released && effectsOf(op) > 0 && op.tool !== 'read')
    return [{ id: 'I3', op: op.op, says: 'had an effect, and the store says that nothing ran' }];
  return [];
}

/** I3: an answer that reached a process which listens is not lost: the operation is not in doubt afterwards. */
function answersCount(facts: Facts, op: OpFacts): Violation[] {
  const { record } = op;
  if (op.isForgotten || record?.state !== 'in_doubt') return [];
  const { plan, events } = facts.history;
  return op.messages.flatMap(({ sent, end }) => {
    if (end?.proves !== 'result') return [];
    const driver = driverOf(op.calls, sent.requestId);
    if (driver === undefined || end.at >= driver.seen.at + driver.seen.timeoutMs + plan.settleGraceMs) return [];
    const left = events.find((event) => event.what === 'gone' && event.process === end.process);
    if (left?.what === 'gone' && left.at < end.at + LONGEST_OUTAGE_MS) return [];
    return [{ id: 'I3', op: op.op, says: `the answer to #${sent.message} came at ${end.at}, and it is in doubt` }];
  });
}

/** I10: no key is blocked for ever. The last round of calls comes when everything is well. */
function keyIsFree(facts: Facts, op: OpFacts): Violation[] {
  const last = op.calls.at(-1);
  if (!op.keyed || last?.answer === undefined) return [];
  if (last.answer.code !== 'IN_PROGRESS' && last.answer.code !== 'LEDGER_UNAVAILABLE') return [];
  if (last.seen.at < healedAt(facts) + facts.history.plan.leaseMs) return [];
  return [{ id: 'I10', op: op.op, says: `call ${last.seen.call} is told ${last.answer.code} when all is well` }];
}

function driverOf(calls: readonly CallFacts[], requestId: string): CallFacts | undefined {
  return calls.find(({ answer }) => answer?.requestId === requestId);
}

function healedAt({ history }: Facts): number {
  return history.events.find((event) => event.what === 'healed')?.at ?? 0;
}

function wasResolved({ history }: Facts, op: OpFacts): boolean {
  return history.events.some((event) => event.what === 'resolve' && op.operationIds.has(event.operationId));
}
