/** Carries `{ tool_name, arguments, idempotency_key }` to the kernel and back, in the shape that Python's Lambda handler has. */
import type { ExecuteResponse, KernelRequest, KernelResponse, ProblemDetails } from '@mcp-tx/core/http';
import type { DirectEvent, LambdaEvent } from './events.ts';

/** What a direct invocation gets. */
export interface DirectResult {
  readonly statusCode: number;
  /** JSON text. */
  readonly body: string;
}

/** The request that a direct event is; `undefined` when it names no tool. */
export function directRequest(event: DirectEvent): KernelRequest<LambdaEvent> | undefined {
  const { tool_name: tool, idempotency_key: key } = event;
  if (typeof tool !== 'string' || tool === '') return undefined;
  const args = event.arguments ?? {};
  return {
    method: 'POST',
    path: `/execute/${encodeURIComponent(tool)}`,
    headers: {
      host: 'localhost',
      'content-type': 'application/json',
      ...(key === undefined || key === null ? {} : { 'idempotency-key': quoted(key) }),
    },
    body: { parsed: { arguments: args } },
    host: event,
  };
}

/** The kernel's answer, in that shape. */
export function directResult({ status, body }: KernelResponse, remainingMs: number): DirectResult {
  const answer = JSON.parse(body as string) as ExecuteResponse | ProblemDetails;
  if ('result' in answer) {
    const { requestId, operationId, attempts, duplicate, execution } = answer.meta;
    const metadata = {
      request_id: requestId,
      operation_id: operationId,
      attempts,
      duplicate,
      execution,
      remaining_time_ms: remainingMs,
    };
    return { statusCode: status, body: JSON.stringify({ success: true, result: answer.result, metadata }) };
  }
  return directProblem(answer, remainingMs);
}

/** A problem, in that shape. */
export function directProblem(problem: ProblemDetails, remainingMs: number): DirectResult {
  const { title, detail = title, ...rest } = problem;
  const metadata = { remaining_time_ms: remainingMs };
  return { statusCode: problem.status, body: JSON.stringify({ success: false, error: detail, ...rest, metadata }) };
}

/** As an RFC 9651 string. What is no text, or not printable ASCII, is refused where every key is. */
function quoted(key: unknown): string {
  return typeof key === 'string' ? `"${key.replace(/["\\]/g, '\\$&')}"` : '';
}
