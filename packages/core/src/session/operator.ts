/** What an operator may do with operations: look at them, and end doubt by a verdict with a name and a reason. */
import type { EventHub } from '../engine/call-events.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerReader, ListQuery, Page } from '../ledger/ledger-reader.ts';
import { isLedgerReader } from '../ledger/ledger-reader.ts';
import type { AuditLine, OperationRecord } from '../ledger/record.ts';
import type { Outcome } from '../outcome/outcome.ts';
import { McpTxError } from '../outcome/tx-error.ts';

/** An operator's word on an operation in doubt. */
export interface Verdict {
  /** It happened (with the result that callers shall get, if it is known), or it did not. */
  readonly outcome: 'completed' | 'not_executed';
  readonly result?: object;
  /** Who says so. */
  readonly by: string;
  /** How they know. */
  readonly reason: string;
}

/** @throws McpTxError `CONFIG_INVALID` without a ledger that can be read */
export async function listOperations(ledger: Ledger | undefined, query: ListQuery): Promise<Page> {
  return reader(ledger).list(query);
}

/** @throws McpTxError `CONFIG_INVALID` without a ledger that can be read */
export async function auditTrail(ledger: Ledger | undefined, operationId: string): Promise<readonly AuditLine[]> {
  return reader(ledger).audit(operationId);
}

/** @throws McpTxError `CALL_INVALID` for a verdict without name or reason, `OPERATION_NOT_FOUND`, `CALL_INVALID` when it is not in doubt */
export async function resolveOperation(
  ledger: Ledger | undefined,
  events: EventHub,
  operationId: string,
  verdict: Verdict,
): Promise<OperationRecord> {
  const { by, reason } = verdict;
  if (ledger === undefined) throw noLedger();
  if (typeof by !== 'string' || by.trim() === '' || by === 'late-answer' || by === 'probe') {
    throw new McpTxError('CALL_INVALID', 'a verdict needs `by`: the name of who gives it');
  }
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new McpTxError('CALL_INVALID', 'a verdict needs `reason`: how it is known');
  const answer = await ledger.resolve(operationId, { outcome: outcomeOf(verdict), by, reason });
  if (answer.kind === 'not_found')
    throw new McpTxError('OPERATION_NOT_FOUND', `there is no operation ${operationId}`, { operationId });
  if (answer.kind === 'resolved')
    events.emit('operation.resolved', { operationId, by, outcome: answer.record.state as Outcome['state'] });
  if (answer.kind === 'resolved' || answer.kind === 'already') return answer.record;
  throw new McpTxError('CALL_INVALID', `${operationId} is ${answer.record.state}, not in doubt`, { operationId });
}

function outcomeOf({ outcome, result, by }: Verdict): Extract<Outcome, { readonly state: 'completed' | 'failed' }> {
  if (outcome === 'completed') {
    const fallback = {
      content: [{ type: 'text', text: `${by} confirmed that this ran; its own result is not known` }],
    };
    return { state: 'completed', result: asResult(result ?? fallback) };
  }
  if (outcome !== 'not_executed')
    throw new McpTxError('CALL_INVALID', "a verdict’s outcome is 'completed' or 'not_executed'");
  return { state: 'failed', error: { code: 'NOT_EXECUTED', message: `${by} found that it did not happen` } };
}

/** A result that can be replayed. */
function asResult(result: unknown): string {
  let text: string | undefined;
  try {
    text = typeof result === 'object' ? JSON.stringify(result) : undefined;
  } catch {
    text = undefined;
  }
  if (text?.startsWith('{') === true) return text;
  throw new McpTxError('CALL_INVALID', 'a verdict’s result must be an object that JSON can say');
}

function reader(ledger: Ledger | undefined): LedgerReader {
  if (ledger === undefined) throw noLedger();
  if (!isLedgerReader(ledger)) throw new McpTxError('CONFIG_INVALID', 'this ledger cannot be listed');
  return ledger;
}

/** What is said of everything that only a ledger can do. */
export function noLedger(): McpTxError {
  return new McpTxError('CONFIG_INVALID', 'this instance has `ledger: false`');
}
