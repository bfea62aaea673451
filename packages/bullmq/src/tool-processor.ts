/** Runs one job of BullMQ as a tool call, and tells BullMQ its end in BullMQ's own words. */
import { isMcpTxError } from '@mcp-tx/core';
import type { ClientSource, JobEnd, JobOptions } from '@mcp-tx/core/job';
import { lazyClient, problemOf, refuseJob, replyOf, runJob } from '@mcp-tx/core/job';
import type { Job } from 'bullmq';
import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq';
import type { ToolJobReply } from './chain.ts';
import { previousReply } from './chain.ts';
import { fillFromPrev } from './from-prev.ts';
import { readJobData } from './job-data.ts';
import { keyOfJob } from './job-id.ts';
import type { JobAbort } from './running-jobs.ts';

/** Why a worker wants a job to end: its lock is lost, so that another worker may have it; or the worker is closing. */
export const LOCK_LOST = 'lock-lost';
export const SHUTDOWN = 'shutdown';

/** Options of {@link toolProcessor}. */
export interface ToolProcessorOptions extends Pick<JobOptions, 'tools' | 'scope' | 'timeoutMs' | 'retryLater'> {
  /** Tell progress of the tool as progress of the job. Default `false`: each is a write to the queue. */
  readonly progress?: boolean;
  /** Hears how each run of a job ended. What it throws is ignored. */
  readonly onEnd?: (job: Job, end: JobEnd) => void;
}

/** A processor of BullMQ's. It takes three parameters, for with fewer BullMQ gives it no signal. */
export type ToolProcessor = (job: Job, token?: string, signal?: JobAbort) => Promise<ToolJobReply>;

/**
 * Makes a processor. `acknowledge` completes the job, `retryLater` delays it or puts it back without burning one of BullMQ's
 * attempts, `deadLetter` fails it for good, with the problem as JSON in `failedReason`.
 */
export function toolProcessor(client: ClientSource, options: ToolProcessorOptions): ToolProcessor {
  const source = typeof client === 'function' ? lazyClient(client) : client;
  return async (job, token, signal) => {
    let earlier = 0; // sends of the steps before
    let end: JobEnd;
    try {
      const read = readJobData(job.data, () => keyOfJob(job.queueName, String(job.id), job.timestamp));
      const previous = read.step === undefined ? undefined : await previousReply(job, read.step);
      earlier = previous?.totalAttempts ?? 0;
      const args = previous === undefined ? undefined : fillFromPrev(read.job.arguments, previous);
      const call = args === undefined ? read.job : { ...read.job, arguments: args };
      end = await runJob(source, call, runOptions(job, signal, options));
    } catch (error) {
      if (!isMcpTxError(error)) throw error; // the queue did not answer: BullMQ runs the job again
      end = refuseJob(error);
    } finally {
      signal?.over?.(); // whoever is told to end from here on has ended
    }
    try {
      options.onEnd?.(job, end);
    } catch {
      // an observer
    }
    if (end.kind === 'acknowledge') return Object.assign(replyOf(end), { totalAttempts: earlier + end.meta.attempts });
    if (end.kind === 'deadLetter') throw new UnrecoverableError(JSON.stringify(problemOf(end.error)));
    throw await putBack(job, end.retryAt, token, signal);
  };
}

function runOptions(job: Job, signal: JobAbort | undefined, options: ToolProcessorOptions): JobOptions {
  const { tools, scope, timeoutMs, retryLater, progress = false } = options;
  const run: { -readonly [Name in keyof JobOptions]: JobOptions[Name] } = {
    tools,
    returns: Math.max(0, job.attemptsStarted - 1),
  };
  if (scope !== undefined) run.scope = scope;
  if (timeoutMs !== undefined) run.timeoutMs = timeoutMs;
  if (retryLater !== undefined) run.retryLater = retryLater;
  if (signal !== undefined) run.signal = signal;
  if (progress) run.onProgress = (said) => void job.updateProgress({ ...said }).catch(() => undefined);
  return run;
}

/**
 * Gives the job back to the queue; the error that makes BullMQ leave it there. Of a job whose lock is lost nothing is written:
 * whoever has it now says what becomes of it. Where giving it back fails, it stays as it is, and comes again when its lock ends.
 */
async function putBack(job: Job, retryAt: number, token: string | undefined, signal?: JobAbort): Promise<Error> {
  if (signal?.aborted && signal.reason === LOCK_LOST) return new DelayedError(LOCK_LOST);
  try {
    if (signal?.aborted) {
      await job.moveToWait(token);
      return new WaitingError(SHUTDOWN);
    }
    await job.moveToDelayed(retryAt, token);
  } catch {
    // as said
  }
  return new DelayedError();
}
