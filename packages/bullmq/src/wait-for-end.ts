/** Waits for the end of a job by looking: the queue may be away meanwhile, and no event can be missed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpTxResult } from '@mcp-tx/core';
import { McpTxError } from '@mcp-tx/core';
import { errorOf, resultOf } from '@mcp-tx/core/job';
import type { Queue } from 'bullmq';
import type { ToolJobReply } from './chain.ts';
import { problemOfReason } from './failed-reason.ts';

/** The result of a job. */
export interface ToolJobResult extends McpTxResult {
  /** Sends of the whole chain; of a job alone, its own. */
  readonly totalAttempts: number;
}

/** How to wait. */
export interface WaitOptions {
  /** Default 60,000 ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const FIRST_LOOK_MS = 10;
const MAX_LOOK_MS = 250;

/**
 * @throws McpTxError the problem of a job that was put aside; `OPERATION_NOT_FOUND` when there is no such job (any more);
 * `DEADLINE_EXCEEDED` when it has not ended in time, and goes on; `ABORTED`
 */
export async function waitForEnd(queue: Queue, jobId: string, options: WaitOptions = {}): Promise<ToolJobResult> {
  const { timeoutMs = 60_000, signal } = options;
  const inTime = AbortSignal.timeout(timeoutMs);
  const stop = signal === undefined ? inTime : AbortSignal.any([inTime, signal]);
  const stopped = new Promise<undefined>((resolve) => {
    stop.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  for (let lookMs = FIRST_LOOK_MS; !stop.aborted; lookMs = Math.min(lookMs * 1.5, MAX_LOOK_MS)) {
    const found = await Promise.race([look(queue, jobId), stopped]); // the queue may be away for longer than anybody waits
    if (found !== undefined) return found;
    await sleep(lookMs, undefined, { signal: stop }).catch(() => undefined);
  }
  if (signal?.aborted === true) throw goesOn('ABORTED', jobId, 'the caller does not wait any more');
  throw goesOn('DEADLINE_EXCEEDED', jobId, `not within ${timeoutMs} ms`);
}

/** @throws McpTxError when the job has ended without a result */
async function look(queue: Queue, jobId: string): Promise<ToolJobResult | undefined> {
  const job = await queue.getJob(jobId).catch(() => 'away' as const);
  if (job === 'away') return undefined;
  if (job === undefined)
    throw new McpTxError('OPERATION_NOT_FOUND', `there is no job ${jobId}: it never was, or it has been removed`);
  if (!job.finishedOn) return undefined;
  const reply = job.returnvalue as ToolJobReply | null | undefined;
  if (!reply) throw errorOf(problemOfReason(job.failedReason));
  return { ...resultOf(reply), totalAttempts: reply.totalAttempts };
}

function goesOn(code: 'ABORTED' | 'DEADLINE_EXCEEDED', jobId: string, why: string): McpTxError {
  const details = { execution: 'unknown', retryable: true } as const;
  return new McpTxError(code, `the job ${jobId} has not ended: ${why}; it goes on, ask again`, details);
}
