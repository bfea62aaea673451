// I1, for callers without a key: a call that equals one in doubt is held back when quarantine is on.
import type { CallFacts, Facts, Violation } from './facts.ts';

export function checkRepeats(facts: Facts): Violation[] {
  const { plan } = facts.history;
  // The window is the store's: when its clock steps, so does the window.
  if (plan.quarantineMs === 0 || plan.server !== 'plain' || plan.faults['clock.storeStep'] > 0) return [];
  const keyless = [...facts.calls.values()].filter(
    ({ seen }) => seen.intent.key === undefined && seen.intent.tool === 'pay',
  );
  return keyless.flatMap((later) => {
    const wasSent = facts.ops.get(later.seen.op)?.messages.length !== 0 && facts.ops.get(later.seen.op) !== undefined;
    const earlier = wasSent ? keyless.find((call) => isInDoubtBefore(facts, call, later)) : undefined;
    if (earlier === undefined) return [];
    const says = `call ${later.seen.call} was sent while the equal call ${earlier.seen.call} was in doubt`;
    return [{ id: 'I1', op: later.seen.op, says }];
  });
}

function isInDoubtBefore(facts: Facts, earlier: CallFacts, later: CallFacts): boolean {
  const { answer, seen } = earlier;
  if (answer?.code !== 'IN_DOUBT' || answer.at >= later.seen.at || seen === later.seen) return false;
  if (seen.process !== later.seen.process || seen.intent.name !== later.seen.intent.name) return false;
  if (seen.variant !== later.seen.variant) return false;
  const op = facts.ops.get(seen.op);
  if (op === undefined || op.isForgotten || op.record?.state !== 'in_doubt') return false;
  return later.seen.at + later.seen.timeoutMs < seen.at + facts.history.plan.quarantineMs;
}
