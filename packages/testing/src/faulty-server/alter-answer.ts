/** Owns the faults that are a wrong answer in itself, whatever carries it: the tool ran, and this is what it is said to have answered. */
import type { Answer } from './answer.ts';
import { errorAnswer, textResult } from './answer.ts';
import type { Fault } from './fault.ts';

const HUGE_BYTES = 11_000_000;

/** The answer that the fault puts in place of the tool's own; all other faults leave it as it is. */
export function alterAnswer(fault: Fault, answer: Answer): Answer {
  switch (fault.kind) {
    case 'is-error':
      return textResult(fault.text ?? 'The tool failed', { isError: true });
    case 'json-rpc-error':
      return errorAnswer(fault.code, fault.message ?? 'Injected error', fault.data);
    case 'huge-result':
      return textResult('x'.repeat(fault.bytes ?? HUGE_BYTES));
    case 'no-content':
      return { result: {} };
    case 'task-result':
      return { result: { task: taskOf(fault.taskId ?? 'task-1') } };
    case 'result-type':
      return { result: { resultType: fault.value } };
    case 'invalid-content':
      return { result: { content: 'not an array' } };
    default:
      return answer;
  }
}

function taskOf(taskId: string): Record<string, unknown> {
  const at = new Date().toISOString();
  return { taskId, status: 'working', ttl: 60_000, createdAt: at, lastUpdatedAt: at, pollInterval: 100 };
}
