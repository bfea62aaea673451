/** What lies in a job: the envelope, who put it there, and whether it is a step of a chain. */
import type { ToolJob } from '@mcp-tx/core/job';
import { parseToolJob } from '@mcp-tx/core/job';

/** The data of a job. Everything but the envelope is this package's own. */
export interface JobData extends ToolJob {
  /** Tells apart who put the job there from those who found it there. */
  readonly putBy?: string;
  /** Place in a chain, from 0. Arguments of later steps may come from the result of the step before. */
  readonly step?: number;
}

const OWN: readonly (keyof JobData)[] = ['putBy', 'step'];

/** A job as it is run. */
export interface ReadJob {
  readonly job: ToolJob;
  readonly step: number | undefined;
}

/**
 * Reads the data of a job, whoever put it there.
 *
 * @throws McpTxError `CALL_INVALID`, naming the member; `KEY_INVALID`
 */
export function readJobData(data: unknown, fallbackKey: () => string): ReadJob {
  const { idempotencyKey, step } = (data ?? {}) as Partial<JobData>;
  return {
    job: parseToolJob(data, idempotencyKey === undefined ? fallbackKey() : undefined, OWN),
    step: typeof step === 'number' && Number.isSafeInteger(step) && step >= 0 ? step : undefined,
  };
}
