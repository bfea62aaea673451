/** Runs a call that waited in a queue, and says what the queue has to do with its message. */
import type { OperationRecord } from '../ledger/record.ts';
import type { McpTxResult } from '../outcome/call-result.ts';
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import { identify } from '../policy/identity.ts';
import type { CallOptions, Progress } from '../policy/settings.ts';
import type { AbortSource } from '../runtime/abort-source.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Mutable } from '../runtime/mutable.ts';
import type { Random } from '../runtime/random.ts';
import { systemRandom } from '../runtime/random.ts';
import type { McpTx } from '../session/mcp-tx.ts';
import type { ClientSource } from './lazy-client.ts';
import { lazyClient } from './lazy-client.ts';
import type { RetryLater } from './retry-later.ts';
import { retryAtOf, retryLaterOf } from './retry-later.ts';
import type { ToolJob } from './tool-job.ts';

/** How a job is run. */
export interface JobOptions {
  /** Tools that jobs may call. `'*'`: every tool of the server. */
  readonly tools: readonly string[] | '*' | ((tool: string) => boolean);
  /** Whose operations these are; a function may believe the job. Default: the instance's own, and a job that names another one is refused. */
  readonly scope?: string | ((job: ToolJob) => string | undefined);
  /** The host wants the job to end: its call detaches, and the job comes again. */
  readonly signal?: AbortSource;
  /** Time that the host has left, ms. */
  readonly timeoutMs?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** How often this job came back already. Default 0. */
  readonly returns?: number;
  /** How often and how slowly jobs come back. Default: after up to 1 s, doubling up to 60 s, full jitter, 1,000 times. */
  readonly retryLater?: Partial<RetryLater>;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests. */
  readonly random?: Random;
}

/**
 * What the queue has to do. `acknowledge`: the tool ran, also when it said `isError`. `retryLater`: nothing ran, or somebody else
 * is at it; the message comes again. `deadLetter`: sending it again helps nobody; in doubt, refused, all attempts used, or no job at all.
 */
export type JobEnd =
  | ({ readonly kind: 'acknowledge' } & McpTxResult)
  | {
      readonly kind: 'retryLater';
      readonly error: McpTxError;
      /** When it comes again, epoch ms. */
      readonly retryAt: number;
    }
  | { readonly kind: 'deadLetter'; readonly error: McpTxError };

/**
 * Runs a job. Never rejects. The engine owns the retries of the call, so the queue has none of its own: attempts are counted in
 * the ledger, and all runs of a job together send no more often than one call may.
 */
export async function runJob(source: ClientSource, job: ToolJob, options: JobOptions): Promise<JobEnd> {
  const run = { job, options, clock: options.clock ?? systemClock };
  let client: McpTx | undefined;
  let call: JobCall | undefined;
  try {
    const made = lazyClient(source)();
    client = made instanceof Promise ? await made : made;
    call = callOptions(run, client.scope);
    const leftOver = (options.returns ?? 0) > 0 ? await attemptsLeft(client, call) : undefined;
    if (leftOver?.retry.maxAttempts === 0) throw usedUp(leftOver.record);
    const asked = leftOver === undefined ? call : { ...call, retry: leftOver.retry };
    const { result, meta } = await client.callTool(job.tool, job.arguments, asked);
    return { kind: 'acknowledge', result, meta };
  } catch (thrown) {
    const error = toTxError(thrown);
    const found = client && call && (await lookAgain(client, job, call, error));
    return found === undefined ? endOf(error, run, client) : { kind: 'acknowledge', ...found };
  }
}

/** The end of a job that could not even be read. */
export function refuseJob(thrown: unknown): JobEnd {
  return { kind: 'deadLetter', error: toTxError(thrown) };
}

interface JobRun {
  readonly job: ToolJob;
  readonly options: JobOptions;
  readonly clock: Clock;
}

/** Doubt that somebody can end by looking, the server itself or a probe, is no reason to put a job aside: nothing is sent for it. */
async function lookAgain(
  client: McpTx,
  job: ToolJob,
  call: JobCall,
  { code, operationId }: McpTxError,
): Promise<McpTxResult | undefined> {
  if (code !== 'IN_DOUBT' || operationId === undefined || call.signal?.aborted === true) return undefined;
  await client.probe(operationId).catch(() => undefined); // nobody can be asked, or it has just ended
  const record = await client.getOperation(operationId).catch(() => undefined);
  if (record?.state !== 'completed') return undefined;
  return client.callTool(job.tool, job.arguments, call).catch(() => undefined);
}

type JobCall = CallOptions & Required<Pick<CallOptions, 'idempotencyKey' | 'scope'>>;

function callOptions({ job, options, clock }: JobRun, ownScope: string): JobCall {
  const { tools, signal, onProgress } = options;
  const isListed = typeof tools === 'function' ? tools(job.tool) : tools === '*' || tools.includes(job.tool);
  if (!isListed) throw new McpTxError('TOOL_NOT_ALLOWED', 'the tool is not on the list of this host');
  const scope = scopeOf(job, options, ownScope);
  const leftMs = job.deadlineAt === undefined ? Number.POSITIVE_INFINITY : job.deadlineAt - clock.now();
  const timeoutMs = Math.min(leftMs, options.timeoutMs ?? Number.POSITIVE_INFINITY);
  if (timeoutMs <= 0) throw new McpTxError('DEADLINE_EXCEEDED', 'the job came too late: nothing was sent');
  const call: Mutable<JobCall> = { idempotencyKey: job.idempotencyKey, scope, ifBusy: 'fail' };
  if (Number.isFinite(timeoutMs)) call.maxTimeoutMs = timeoutMs;
  if (job.meta !== undefined) call.meta = job.meta;
  if (onProgress !== undefined) call.onProgress = onProgress;
  if (signal === undefined) return call;
  call.signal = signal;
  call.onAbort = 'detach';
  return call;
}

function scopeOf(job: ToolJob, options: JobOptions, ownScope: string): string {
  const scope = typeof options.scope === 'function' ? options.scope(job) : (options.scope ?? ownScope);
  if (scope === undefined || (typeof options.scope !== 'function' && (job.scope ?? scope) !== scope))
    throw new McpTxError('CALL_INVALID', 'the job names a scope that this host does not believe');
  return scope;
}

/** What earlier runs have left of the attempts; `undefined` where they sent nothing, or the ledger already knows the end. */
async function attemptsLeft(client: McpTx, { scope, idempotencyKey }: Pick<JobCall, 'scope' | 'idempotencyKey'>) {
  const record = await client.getOperation(identify(scope, client.name, idempotencyKey).operationId);
  if (record?.state !== 'claimed' || record.attempts === 0) return undefined;
  return { record, retry: { maxAttempts: Math.max(0, record.attemptLimit - record.attempts) } };
}

function usedUp({ operationId, attempts }: OperationRecord): McpTxError {
  const says = `it was sent ${attempts} times in all, which is what one call may; the server took none of them`;
  return new McpTxError('SERVER_BUSY', says, { retryable: false, reason: 'attempts-used-up', operationId });
}

async function endOf(error: McpTxError, run: JobRun, client: McpTx | undefined): Promise<JobEnd> {
  const { job, options, clock } = run;
  const settings = retryLaterOf(options.retryLater);
  const returns = options.returns ?? 0;
  const now = clock.now();
  const isTooLate = job.deadlineAt !== undefined && job.deadlineAt <= now && error.execution === 'none';
  if (!comesAgain(error, options) || isTooLate || returns >= settings.maxReturns) return { kind: 'deadLetter', error };
  if (client !== undefined && (await hasUsedUp(client, run, error))) return { kind: 'deadLetter', error };
  const random = options.random ?? systemRandom();
  return { kind: 'retryLater', error, retryAt: retryAtOf(error, returns, settings, { now, random }) };
}

/** What was detached from because the host wants to end is still under way, or in the ledger: the next run finds out. */
function comesAgain(error: McpTxError, { signal }: JobOptions): boolean {
  if (error.retryable || (error.execution === 'none' && error.code === 'CLOSED')) return true;
  return signal?.aborted === true && error.code === 'IN_DOUBT' && error.reason === 'aborted';
}

/** Whether the call was sent as often as it may be, over all runs. */
async function hasUsedUp(client: McpTx, { job, options }: JobRun, error: McpTxError): Promise<boolean> {
  if ((error.meta?.attempts ?? 0) === 0) return false;
  const { idempotencyKey } = job;
  const asked = { scope: scopeOf(job, options, client.scope), idempotencyKey };
  const left = await attemptsLeft(client, asked).catch(() => undefined); // the next run asks again
  return left?.retry.maxAttempts === 0;
}

function toTxError(thrown: unknown): McpTxError {
  if (isMcpTxError(thrown)) return thrown;
  return new McpTxError('INTERNAL', 'the job ended in an error of its host', { cause: thrown });
}
