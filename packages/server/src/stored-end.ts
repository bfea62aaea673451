/** Turns what the ledger keeps of an operation into what a repeat is told. */
import type { OperationRecord } from '@mcp-tx/core/ledger';
import type { End, Refusal, RefusalReason } from './answer.ts';

/** The end of a record that has one. */
export function endOfRecord({ outcome, endedAt }: OperationRecord): End {
  if (outcome?.state === 'completed' && outcome.result !== undefined) {
    const exactlyOnce = outcome.exactlyOnce === true;
    return {
      kind: 'result',
      text: outcome.result,
      exactlyOnce,
      ...(endedAt === undefined ? {} : { storedAt: endedAt }),
    };
  }
  if (outcome?.state === 'failed') return refusal(reasonOf(outcome.error.code), outcome.error.message);
  const taskId = outcome?.state === 'in_doubt' ? outcome.taskId : undefined;
  const says = 'this operation may have run; how it ended is not known';
  return refusal('in-doubt', says, taskId === undefined ? {} : { taskId });
}

/** A refusal as an end. */
export function refusal(reason: RefusalReason, says: string, more: Partial<Refusal> = {}): End {
  return { kind: 'refusal', refusal: { reason, says, ...more } };
}

/** The server itself stores one kind of failure; the others are verdicts of operators. */
function reasonOf(code: string): RefusalReason {
  return code === 'TOOL_NOT_FOUND' ? 'unknown-tool' : 'not-executed';
}
