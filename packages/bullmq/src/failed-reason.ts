/** Reads why BullMQ holds a job for failed: the problem that this package wrote there, or BullMQ's own words. */
import type { JobProblem } from '@mcp-tx/core/job';
import { isProblem } from '@mcp-tx/core/job';

/** The problem of a failed job. What BullMQ itself says, of jobs that stalled too often for one, leaves open what ran: the ledger knows. */
export function problemOfReason(failedReason: string): JobProblem {
  try {
    const value: unknown = JSON.parse(failedReason);
    if (isProblem(value)) return value;
  } catch {
    // not ours
  }
  const message = `BullMQ failed the job: ${failedReason}`;
  return { code: 'INTERNAL', message, execution: 'unknown', retryable: false, reason: 'queue', attempts: 0 };
}
