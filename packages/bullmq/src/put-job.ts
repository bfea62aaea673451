/** Puts jobs into a queue, and finds out whether they, or others of their keys, were there already. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { McpTxError } from '@mcp-tx/core';
import type { ToolJob } from '@mcp-tx/core/job';
import type { Queue } from 'bullmq';
import { problemOfReason } from './failed-reason.ts';
import type { JobData } from './job-data.ts';
import { jobIdOf } from './job-id.ts';

/** A job in the queue. */
export interface PutJob {
  readonly jobId: string;
  readonly idempotencyKey: string;
  /** A job of this key was there already, and is the one that runs, or ran. */
  readonly duplicate: boolean;
}

/** The data of a job of a key that others may know, too. */
export function dataOf(job: ToolJob, step?: number): JobData {
  return { ...job, putBy: randomBytes(9).toString('base64url'), ...(step === undefined ? {} : { step }) };
}

/**
 * Removes the job of a key when it is a dead letter of which nothing ran: whoever puts the key into the queue again asks anew.
 * A job in doubt stays.
 */
export async function makeRoom(queue: Queue, { scope, idempotencyKey }: JobData): Promise<void> {
  const found = await queue.getJob(jobIdOf(scope, idempotencyKey));
  if (found === undefined || !(await found.isFailed())) return;
  if (problemOfReason(found.failedReason).execution === 'none') await found.remove().catch(() => undefined); // somebody else was quicker
}

/**
 * What became of a job that was just added: BullMQ does not say whether it was.
 *
 * @throws McpTxError `KEY_CONFLICT` when the job of this key is another call
 */
export async function seePut(queue: Queue, data: JobData): Promise<PutJob> {
  const { scope, idempotencyKey } = data;
  const jobId = jobIdOf(scope, idempotencyKey);
  const stored = (await queue.getJob(jobId))?.data as JobData | undefined;
  const duplicate = stored !== undefined && stored.putBy !== data.putBy; // gone: it has run, and was removed
  if (duplicate && !isSameCall(stored, data))
    throw new McpTxError('KEY_CONFLICT', 'the queue has a job of this key for another tool or other arguments');
  return { jobId, idempotencyKey, duplicate };
}

function isSameCall(one: JobData, other: JobData): boolean {
  const args = (data: JobData): unknown => JSON.parse(JSON.stringify(data.arguments));
  return one.tool === other.tool && isDeepStrictEqual(args(one), args(other));
}
