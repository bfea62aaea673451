/** Turns a stored call that was never sent back into a plan, under its own identity and its own deadline. */
import type { OperationRecord } from '../ledger/record.ts';
import type { CallPlan } from '../policy/call-plan.ts';

/** `fresh` is a plan of the same tool and arguments, as the instance would make it today. */
export function resumePlan(fresh: CallPlan, record: OperationRecord, now: number): CallPlan {
  const timeoutMs = Math.max(1, record.deadlineAt - now);
  return {
    ...fresh,
    operationId: record.operationId,
    digest: record.digest,
    idempotencyKey: record.idempotencyKey,
    fingerprint: record.fingerprint,
    scope: record.scope,
    storeArguments: true,
    ifBusy: 'fail',
    timeoutMs,
    attemptTimeoutMs: Math.min(fresh.attemptTimeoutMs, timeoutMs),
  };
}
