/** Puts every error into RFC 9457's form: one status, one body, the same bytes whichever host writes them. */
import type { Execution, McpTxError, TxErrorCode } from '../outcome/tx-error.ts';
import { isMcpTxError, TX_ERRORS } from '../outcome/tx-error.ts';
import type { ProblemCode } from './http-error.ts';
import { HTTP_ERRORS, isHttpError } from './http-error.ts';
import type { KernelResponse } from './http-message.ts';

/** A problem document (RFC 9457) with what a caller needs to go on. */
export interface ProblemDetails {
  /** Names the code as a URI. */
  readonly type: string;
  /** What the code means; the same for every problem of that code. */
  readonly title: string;
  readonly status: number;
  /** What happened here. Absent where it would repeat a server's or a library's own words. */
  readonly detail?: string;
  readonly code: ProblemCode;
  /** Did it happen: `none`, `unknown`, `done`. */
  readonly execution: Execution;
  /** Whether the very same request (same key) may be sent again and may then succeed. */
  readonly retryable: boolean;
  readonly operationId?: string;
  /** Sends made for the operation, by everybody. */
  readonly attempts: number;
}

/** What a problem's type begins with, unless a host says otherwise. */
export const PROBLEM_BASE = 'urn:mcp-tx:problem:';

const STATUS: Readonly<Record<TxErrorCode, number>> = {
  CONFIG_INVALID: 500,
  CALL_INVALID: 400,
  KEY_INVALID: 400,
  KEY_CONFLICT: 422,
  KEY_EXPIRED: 422,
  ARGUMENTS_INVALID: 422,
  TOOL_NOT_FOUND: 404,
  TOOL_NOT_ALLOWED: 403,
  REJECTED: 422,
  NOT_EXECUTED: 422,
  UNAUTHORIZED: 502,
  SERVER_BUSY: 503,
  CONNECTION_FAILED: 502,
  BREAKER_OPEN: 503,
  OVERLOADED: 503,
  DEADLINE_EXCEEDED: 504,
  ABORTED: 503,
  CLOSED: 503,
  IN_PROGRESS: 409,
  IN_DOUBT: 500,
  REPEAT_QUARANTINED: 500,
  RESULT_UNUSABLE: 500,
  LEDGER_UNAVAILABLE: 503,
  LEDGER_FULL: 503,
  LEDGER_CORRUPT: 500,
  LEDGER_VERSION: 500,
  LEDGER_CLOSED: 500,
  QUEUE_UNAVAILABLE: 503,
  OPERATION_NOT_FOUND: 404,
  INTERNAL: 500,
};

/** Codes whose message is made of our own words and of the caller's. */
const TOLD: ReadonlySet<TxErrorCode> = new Set([
  'CALL_INVALID',
  'KEY_INVALID',
  'KEY_CONFLICT',
  'KEY_EXPIRED',
  'ARGUMENTS_INVALID',
  'NOT_EXECUTED',
  'DEADLINE_EXCEEDED',
  'IN_PROGRESS',
  'IN_DOUBT',
  'REPEAT_QUARANTINED',
  'BREAKER_OPEN',
]);

/**
 * The problem that an error is. What is neither a `McpTxError` nor an `HttpError` is `INTERNAL`, and its text is not told.
 *
 * An effect that nobody knows is 500, never 502, 503 or 504, which proxies send again; but for a call that is safe to repeat
 * as it stands.
 */
export function toProblem(error: unknown, base: string = PROBLEM_BASE): ProblemDetails {
  if (isMcpTxError(error)) return txProblem(error, base);
  if (isHttpError(error)) {
    const { status, says, retryable } = HTTP_ERRORS[error.code];
    const detail = error.message === says ? undefined : error.message;
    return problem(base, { code: error.code, status, says, detail, execution: 'none', retryable, attempts: 0 });
  }
  const { says, execution, retryable } = TX_ERRORS.INTERNAL;
  return problem(base, { code: 'INTERNAL', status: 500, says, detail: undefined, execution, retryable, attempts: 0 });
}

/** How a host answers an error. */
export interface ProblemAnswer {
  readonly base?: string | undefined;
  /** Where the kernel is mounted. */
  readonly mount?: string | undefined;
  /** Wall time, epoch ms: what `Retry-After` is counted from. */
  readonly now: number;
}

/** The whole response to an error: status, headers, body. */
export function problemResponse(error: unknown, { base, mount = '', now }: ProblemAnswer): KernelResponse {
  const details = toProblem(error, base);
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(isHttpError(error) ? error.headers : {}),
  };
  const retryAt = isMcpTxError(error) ? error.retryAt : undefined;
  if (retryAt !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil((retryAt - now) / 1_000)));
  else if (details.retryable && RETRY_LATER.has(details.status)) headers['retry-after'] ??= '1';
  if (details.operationId !== undefined) {
    headers['mcp-tx-operation-id'] = details.operationId;
    if (details.execution !== 'none') headers['location'] = `${mount}/operations/${details.operationId}`;
  }
  return { status: details.status, headers, body: JSON.stringify(details) };
}

const RETRY_LATER: ReadonlySet<number> = new Set([409, 429, 503]);

function txProblem(error: McpTxError, base: string): ProblemDetails {
  const { code, execution, retryable, operationId } = error;
  const known = TX_ERRORS[code] as (typeof TX_ERRORS)[TxErrorCode] | undefined; // another copy may know more codes
  return problem(base, {
    code,
    status: statusOf(error),
    says: known?.says ?? TX_ERRORS.INTERNAL.says,
    detail: TOLD.has(code) ? error.message : undefined,
    execution,
    retryable,
    operationId,
    attempts: error.meta?.attempts ?? 0,
  });
}

function statusOf({ code, execution, retryable, reason }: McpTxError): number {
  if (execution === 'unknown' && !retryable && code !== 'KEY_EXPIRED') return 500;
  if (code === 'ARGUMENTS_INVALID' && reason === 'not-json') return 400;
  if (reason === 'scope-quota') return 429; // its own fault, unlike a ledger that is full
  return STATUS[code] ?? 500;
}

interface Parts {
  readonly code: ProblemCode;
  readonly status: number;
  readonly says: string;
  readonly detail: string | undefined;
  readonly execution: Execution;
  readonly retryable: boolean;
  readonly operationId?: string | undefined;
  readonly attempts: number;
}

function problem(base: string, parts: Parts): ProblemDetails {
  const { code, status, says, detail, execution, retryable, operationId, attempts } = parts;
  return {
    type: `${base}${code.toLowerCase().replaceAll('_', '-')}`,
    title: says,
    status,
    ...(detail === undefined ? {} : { detail }),
    code,
    execution,
    retryable,
    ...(operationId === undefined ? {} : { operationId }),
    attempts,
  };
}
