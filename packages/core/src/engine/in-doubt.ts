/** Asks the user's probe whether an operation happened, and decides when "it did not" may be believed. */
import type { CallPlan } from '../policy/call-plan.ts';
import type { ProbeOperation } from '../policy/settings.ts';
import type { AttemptEnd } from './attempt.ts';
import type { Run } from './run.ts';

/** What a probe told a driver: an end, or `absent`, or `unknown`. */
export async function askProbe(run: Run): Promise<AttemptEnd | 'absent' | 'unknown'> {
  const { ports, flight } = run;
  flight.freeSlot(); // the probe reads through the same gate
  const isTooLate = cannotHappenAnyMore(run); // before the probe looks: its answer may come long after its look
  const found = await ports.probe(flight.plan, describe(flight.plan, run.attempt));
  if (found.verdict === 'completed') {
    const seen = { tapped: false, dispatched: true, result: found.result };
    return { verdict: { class: 'completed', says: 'the probe found that it happened', serverFault: false }, seen };
  }
  return found.verdict === 'absent' && isTooLate ? 'absent' : 'unknown';
}

/**
 * `absent` means "not yet" until the send is dead: the server's process was ours and is gone, or so much time has passed that
 * it would have taken effect by now.
 */
function cannotHappenAnyMore(run: Run): boolean {
  if (run.unanswered.length > 0) return false;
  if (run.doubtIsDead) return true;
  return run.ports.clock.monotonic() > run.doubtSentAt + settleWindowMs(run.flight.plan);
}

/** How long after a send it may still take effect, ms. */
export function settleWindowMs(plan: CallPlan): number {
  return plan.attemptTimeoutMs + plan.defaults.settleGraceMs + plan.defaults.quietMs;
}

function describe(plan: CallPlan, attempts: number): ProbeOperation {
  return {
    operationId: plan.operationId,
    tool: plan.tool,
    scope: plan.scope,
    arguments: plan.arguments,
    attempts,
    ...(plan.idempotencyKey === undefined ? {} : { idempotencyKey: plan.idempotencyKey }),
  };
}
