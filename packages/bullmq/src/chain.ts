/** Owns chains: steps as a flow of BullMQ's, in which each step waits for the one before and gets its reply. */
import { McpTxError } from '@mcp-tx/core';
import type { JobReply } from '@mcp-tx/core/job';
import { errorOf } from '@mcp-tx/core/job';
import type { FlowJob, Job, JobsOptions } from 'bullmq';
import { problemOfReason } from './failed-reason.ts';
import type { JobData } from './job-data.ts';
import { jobIdOf } from './job-id.ts';

/** What a job gives back, as BullMQ's `returnvalue`. */
export type ToolJobReply = JobReply & {
  /** Sends of the whole chain up to this step; of a job alone, its own. */
  readonly totalAttempts: number;
};

/** The flow of a chain: the last step is its root, and the step before it the one child that it waits for. */
export function flowOf(queueName: string, steps: readonly JobData[], options: JobsOptions): FlowJob {
  let flow: FlowJob | undefined;
  for (const data of steps) {
    const isLast = data === steps.at(-1);
    const jobId = jobIdOf(data.scope, data.idempotencyKey);
    // A step that is put aside lets the next one run, which passes on the reason and is put aside, too.
    const opts = { ...options, jobId, ...(isLast ? {} : { ignoreDependencyOnFailure: true }) };
    flow = { name: data.tool, queueName, data, opts, ...(flow === undefined ? {} : { children: [flow] }) };
  }
  if (flow === undefined) throw new McpTxError('CALL_INVALID', 'a chain needs a step');
  return flow;
}

/**
 * The reply of the step before; `undefined` for the first.
 *
 * @throws McpTxError the problem of a step that was put aside; `CALL_INVALID` when there is no step before
 */
export async function previousReply(job: Job, step: number): Promise<ToolJobReply | undefined> {
  if (step === 0) return undefined;
  const [reply] = Object.values(await job.getChildrenValues<ToolJobReply>());
  if (reply !== undefined) return reply;
  const [reason] = Object.values(await job.getIgnoredChildrenFailures());
  if (reason === undefined)
    throw new McpTxError('CALL_INVALID', 'the job is a step of a chain without a step before it');
  const problem = problemOfReason(reason);
  throw errorOf({ ...problem, message: `a step before it was put aside: ${problem.message}` });
}
