/** Turns a stored call that was never sent back into a plan, under its own identity and within its own time. */
import type { OperationRecord } from '../ledger/record.ts';
import type { CallPlan } from '../policy/call-plan.ts';

/** `fresh` is a plan of the same tool and arguments, as the instance would make it today. */
export function resumePlan(fresh: CallPlan, record: OperationRecord, now: number): CallPlan {
  const leftMs = Math.max(1, lastsUntil(record) - now);
  const timeoutMs = record.sendUntil === undefined ? leftMs : Math.min(leftMs, fresh.timeoutMs);
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

/** Until when a stored call may be sent: an intent outlasts the calls that are made for it. */
export function lastsUntil(record: OperationRecord): number {
  return record.sendUntil ?? record.deadlineAt;
}
