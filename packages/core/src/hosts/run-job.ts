/** Runs a call that waited in a queue, and says what the queue has to do with its message. */
import type { McpTxResult } from '../outcome/call-result.ts';
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import type { CallOptions, Progress } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { ClientSource } from './lazy-client.ts';
import { lazyClient } from './lazy-client.ts';
import type { ToolJob } from './tool-job.ts';

/** How a job is run. */
export interface JobOptions {
  /** Tools that jobs may call. `'*'`: every tool of the server. */
  readonly tools: readonly string[] | '*' | ((tool: string) => boolean);
  /** Whose operations these are; a function may believe the job. Default: the instance's own, and a job that names another one is refused. */
  readonly scope?: string | ((job: ToolJob) => string | undefined);
  /** The host wants the job to end: its call detaches, and the job comes again. */
  readonly signal?: AbortSignal;
  /** Time that the host has left, ms. */
  readonly timeoutMs?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** For tests. */
  readonly clock?: Clock;
}

/**
 * What the queue has to do. `acknowledge`: the tool ran, also when it said `isError`. `retryLater`: nothing ran, or somebody else
 * is at it; the message comes again. `deadLetter`: sending it again helps nobody; in doubt, refused, or no job at all.
 */
export type JobEnd =
  | ({ readonly kind: 'acknowledge' } & McpTxResult)
  | {
      readonly kind: 'retryLater';
      readonly error: McpTxError;
      /** Earliest moment that makes sense, epoch ms. */
      readonly retryAt?: number;
    }
  | { readonly kind: 'deadLetter'; readonly error: McpTxError };

/**
 * Runs a job. Never rejects. The engine owns the retries of the call, so the queue has none of its own: attempts are counted in
 * the ledger, over all deliveries.
 */
export async function runJob(source: ClientSource, job: ToolJob, options: JobOptions): Promise<JobEnd> {
  const clock = options.clock ?? systemClock;
  try {
    const client = await lazyClient(source)();
    const call = callOptions(job, client.scope, options, clock);
    return { kind: 'acknowledge', ...(await client.callTool(job.tool, job.arguments, call)) };
  } catch (thrown) {
    return endOf(toTxError(thrown), job, clock);
  }
}

/** The end of a job that could not even be read. */
export function refuseJob(thrown: unknown): JobEnd {
  return { kind: 'deadLetter', error: toTxError(thrown) };
}

function callOptions(job: ToolJob, ownScope: string, options: JobOptions, clock: Clock): CallOptions {
  const { tools, signal, onProgress } = options;
  const isListed = typeof tools === 'function' ? tools(job.tool) : tools === '*' || tools.includes(job.tool);
  if (!isListed) throw new McpTxError('TOOL_NOT_ALLOWED', 'the tool is not on the list of this host');
  const scope = typeof options.scope === 'function' ? options.scope(job) : (options.scope ?? ownScope);
  if (scope === undefined || (typeof options.scope !== 'function' && (job.scope ?? scope) !== scope))
    throw new McpTxError('CALL_INVALID', 'the job names a scope that this host does not believe');
  const leftMs = job.deadlineAt === undefined ? Number.POSITIVE_INFINITY : job.deadlineAt - clock.now();
  const timeoutMs = Math.min(leftMs, options.timeoutMs ?? Number.POSITIVE_INFINITY);
  if (timeoutMs <= 0) throw new McpTxError('DEADLINE_EXCEEDED', 'the job came too late: nothing was sent');
  return {
    idempotencyKey: job.idempotencyKey,
    scope,
    ifBusy: 'fail',
    ...(Number.isFinite(timeoutMs) ? { maxTimeoutMs: timeoutMs } : {}),
    ...(signal === undefined ? {} : { signal, onAbort: 'detach' as const }),
    ...(job.meta === undefined ? {} : { meta: job.meta }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

function endOf(error: McpTxError, job: ToolJob, clock: Clock): JobEnd {
  const comesAgain = error.retryable || (error.execution === 'none' && error.code === 'CLOSED');
  const isTooLate = job.deadlineAt !== undefined && job.deadlineAt <= clock.now();
  if (!comesAgain || (isTooLate && error.execution === 'none')) return { kind: 'deadLetter', error };
  return { kind: 'retryLater', error, ...(error.retryAt === undefined ? {} : { retryAt: error.retryAt }) };
}

function toTxError(thrown: unknown): McpTxError {
  if (isMcpTxError(thrown)) return thrown;
  return new McpTxError('INTERNAL', 'the job ended in an error of its host', { cause: thrown });
}
