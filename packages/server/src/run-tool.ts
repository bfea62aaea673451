/** Runs the server's own handler for one recorded call, and decides what its end says about the tool. */
import type { InDoubtReason, Outcome } from '@mcp-tx/core/ledger';
import type { End } from './answer.ts';
import { textOf } from './answer.ts';
import type { CancellationView } from './cancellation.ts';
import { member } from './member.ts';

/** A request handler as both SDK lines keep it. */
export type RequestHandler = (request: unknown, context: unknown) => unknown;

/** What became of the tool. */
export interface ToolEnd {
  /** What is to be stored; `released`: nothing has come to an end, and the next leg of the request runs again. */
  readonly outcome: Outcome | 'released';
  /** What those are told who wait for it. */
  readonly answer: End;
}

/** MCP 2025-11-25: the client shall open a page and call again. Like `input_required`, it is no end. */
const URL_ELICITATION_REQUIRED = -32_042;

/** Never rejects. */
export async function runTool(
  handler: RequestHandler,
  request: unknown,
  cancellation: CancellationView,
): Promise<ToolEnd> {
  try {
    return judge(await handler(request, cancellation.context), cancellation);
  } catch (error) {
    return thrown(error, cancellation);
  }
}

/** @throws TypeError from a result that is not JSON. */
function judge(result: unknown, cancellation: CancellationView): ToolEnd {
  if (typeof result !== 'object' || result === null) throw new TypeError('the tool answered nothing');
  const text = textOf(result);
  const interim: End = { kind: 'interim', text };
  const task = member(result, 'task');
  const resultType = member(result, 'resultType');
  if (task !== undefined || resultType === 'task') {
    const taskId = member(task ?? result, 'taskId');
    const outcome = { state: 'in_doubt', reason: 'remote-task' } as const;
    return { outcome: typeof taskId === 'string' ? { ...outcome, taskId } : outcome, answer: interim };
  }
  if (resultType === 'input_required') return { outcome: 'released', answer: interim };
  if (resultType !== undefined && resultType !== 'complete') return { outcome: doubt('server-error'), answer: interim };
  if (cancellation.colours(member(result, 'isError') === true)) return cancelled();
  return { outcome: { state: 'completed', result: text }, answer: { kind: 'result', text } };
}

/** Before the effect or after it: nobody can tell. */
function thrown(error: unknown, cancellation: CancellationView): ToolEnd {
  if (cancellation.colours(true)) return cancelled();
  const code = member(error, 'code');
  if (code === URL_ELICITATION_REQUIRED) return { outcome: 'released', answer: { kind: 'error', error } };
  const says = error instanceof Error ? error.message : 'the tool failed';
  const frame = Number.isSafeInteger(code) && !isReserved(code as number) ? { code: code as number } : undefined;
  const data = member(error, 'data');
  const own = frame === undefined ? {} : { error: data === undefined ? frame : { ...frame, data } };
  return { outcome: doubt('server-error'), answer: { kind: 'refusal', refusal: { reason: 'in-doubt', says, ...own } } };
}

function cancelled(): ToolEnd {
  const says = 'the call was cancelled while it ran; whether it had an effect is not known';
  return { outcome: doubt('aborted'), answer: { kind: 'refusal', refusal: { reason: 'in-doubt', says } } };
}

function doubt(reason: InDoubtReason): Outcome {
  return { state: 'in_doubt', reason };
}

/** The part of JSON-RPC's range that MCP keeps for itself. */
function isReserved(code: number): boolean {
  return code >= -32_099 && code <= -32_020;
}
