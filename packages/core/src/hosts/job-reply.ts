/** What whoever waits for a job is told of its end, as plain JSON, and how that becomes a result or an error again. */
import type { CallMeta, McpTxResult } from '../outcome/call-result.ts';
import { toToolResult } from '../outcome/call-result.ts';
import type { Execution, TxErrorCode } from '../outcome/tx-error.ts';
import { McpTxError, TX_ERRORS } from '../outcome/tx-error.ts';
import type { Mutable } from '../runtime/mutable.ts';

/** Why a job is a dead letter. Plain JSON. */
export interface JobProblem {
  readonly code: TxErrorCode;
  readonly message: string;
  readonly execution: Execution;
  readonly retryable: boolean;
  /** Short cause within the code. */
  readonly reason?: string;
  readonly operationId?: string;
  /** Sends made for the operation, by everybody. */
  readonly attempts: number;
}

/** What a reply says of its call: of what nearly every call says, only what is not so. `resultOf` makes it whole again. */
export type JobReplyMeta = Partial<CallMeta> &
  Pick<CallMeta, 'duplicate' | 'attempts' | 'requestId' | 'operationId' | 'guarantee'> &
  Pick<CallMeta, 'dedupeScope' | 'durability' | 'durationMs'>;

/** The end of a job. Plain JSON. */
export type JobReply =
  | {
      readonly v: 1;
      readonly ok: true;
      readonly result: Readonly<Record<string, unknown>>;
      readonly meta: JobReplyMeta;
    }
  | { readonly v: 1; readonly ok: false; readonly problem: JobProblem };

/** What nearly every call with a result says. */
const USUAL: Pick<CallMeta, 'ack' | 'processed' | 'execution' | 'recorded' | 'fingerprinted'> = {
  ack: true,
  processed: true,
  execution: 'done',
  recorded: true,
  fingerprinted: true,
};

/** Longest message of a problem, characters: it may have to go into a header. */
const MAX_MESSAGE = 2_000;

/** The reply of a call that has a result. Queues write it several times over, so it is as short as can be read without a guide. */
export function replyOf({ result, meta }: McpTxResult): Extract<JobReply, { ok: true }> {
  const { duplicate, attempts, requestId, operationId, guarantee, dedupeScope, durability } = meta;
  const durationMs = Math.round(meta.durationMs * 1_000) / 1_000;
  const told: Mutable<JobReplyMeta> = {
    duplicate,
    attempts,
    requestId,
    operationId,
    guarantee,
    dedupeScope,
    durability,
    durationMs,
  };
  if (meta.guaranteeBy !== undefined) told.guaranteeBy = meta.guaranteeBy;
  if (meta.resolvedBy !== undefined) told.resolvedBy = meta.resolvedBy;
  if (meta.ack !== USUAL.ack) told.ack = meta.ack;
  if (meta.processed !== USUAL.processed) told.processed = meta.processed;
  if (meta.execution !== USUAL.execution) told.execution = meta.execution;
  if (meta.recorded !== USUAL.recorded) told.recorded = meta.recorded;
  if (meta.fingerprinted !== USUAL.fingerprinted) told.fingerprinted = meta.fingerprinted;
  return { v: 1, ok: true, result: { ...result }, meta: told }; // a plain object, which is quicker to write
}

/** Why a job is a dead letter. What a server said is left out, but for what the message quotes. */
export function problemOf(error: McpTxError): JobProblem {
  const { code, message, execution, retryable, reason, operationId, meta } = error;
  return {
    code,
    message: message.slice(0, MAX_MESSAGE),
    execution,
    retryable,
    ...(reason === undefined ? {} : { reason }),
    ...(operationId === undefined ? {} : { operationId }),
    attempts: meta?.attempts ?? 0,
  };
}

/**
 * The result that a reply holds, as `callTool` would have given it.
 *
 * @throws McpTxError the problem that it holds, as an error again; `CALL_INVALID` for what is no reply
 */
export function resultOf(reply: unknown): McpTxResult {
  const { v, ok, result, meta, problem } = fields(reply);
  if (v !== 1 || (ok === true ? !isObject(result) || !isObject(meta) : !isProblem(problem)))
    throw new McpTxError('CALL_INVALID', 'this is not the reply of a job');
  if (isProblem(problem)) throw errorOf(problem);
  return { result: toToolResult(result as object), meta: { ...USUAL, ...(meta as unknown as JobReplyMeta) } };
}

/** The error that a problem was. */
export function errorOf({ code, message, execution, retryable, reason, operationId }: JobProblem): McpTxError {
  const details = { execution, retryable };
  return new McpTxError(code, message, {
    ...details,
    ...(reason === undefined ? {} : { reason }),
    ...(operationId === undefined ? {} : { operationId }),
  });
}

/** Whether a value says why a job is a dead letter. */
export function isProblem(value: unknown): value is JobProblem {
  const { code, message, execution, retryable } = fields(value);
  const isKnown = typeof code === 'string' && Object.hasOwn(TX_ERRORS, code) && typeof message === 'string';
  return isKnown && ['none', 'unknown', 'done'].includes(String(execution)) && typeof retryable === 'boolean';
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
