/** Shows a record to the principal it belongs to: nothing of the ledger's own, no arguments, no other's words. */
import type { OperationRecord } from '../ledger/record.ts';
import type { Outcome } from '../outcome/outcome.ts';
import { executionOf } from '../outcome/outcome.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { OperationView } from './api-types.ts';
import { toProblem } from './problem.ts';

/** The view. */
export function operationView(record: OperationRecord, problemBase: string): OperationView {
  const { operationId, tool, state, idempotencyKey, attempts, createdAt, sentAt, endedAt, outcome, resolvedBy } =
    record;
  const execution = outcome === undefined ? (state === 'claimed' ? 'none' : 'unknown') : executionOf(outcome);
  return {
    operationId,
    tool,
    state,
    execution,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    attempts,
    createdAt,
    ...(sentAt === undefined ? {} : { sentAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(outcome === undefined ? {} : endOf(record, outcome, problemBase)),
    ...(resolvedBy === undefined ? {} : { resolvedBy }),
  };
}

function endOf(record: OperationRecord, outcome: Outcome, base: string): Pick<OperationView, 'result' | 'problem'> {
  if (outcome.state === 'completed' && outcome.unusable === undefined)
    return { result: JSON.parse(outcome.result) as Readonly<Record<string, unknown>> };
  const { operationId, tool, attempts } = record;
  const error =
    outcome.state === 'in_doubt'
      ? new McpTxError('IN_DOUBT', `${tool} was sent and may have run`, { operationId, reason: outcome.reason })
      : new McpTxError(...stored(outcome), { operationId, execution: executionOf(outcome) });
  return { problem: { ...toProblem(error, base), attempts } };
}

function stored(outcome: Extract<Outcome, { readonly state: 'completed' | 'failed' }>): [McpTxError['code'], string] {
  const { code, message } = outcome.state === 'failed' ? outcome.error : (outcome.unusable ?? NEVER);
  return [code, message];
}

const NEVER = { code: 'INTERNAL', message: 'a completed operation has a result' } as const;
