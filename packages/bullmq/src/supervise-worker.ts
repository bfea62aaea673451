/** Makes a worker of BullMQ's let go of jobs: those whose lock is lost at once, and those that hang when it is closed. */
import type { Worker } from 'bullmq';
import { LOCK_LOST, SHUTDOWN } from './tool-processor.ts';

/** How a worker is supervised. */
export interface SuperviseOptions {
  /** How long `close` waits for jobs under way before it puts them back, ms. Default 20,000. */
  readonly graceMs?: number;
  /** Hears what goes wrong with the connection and with locks; BullMQ tries again by itself. */
  readonly onError?: (error: Error) => void;
}

/**
 * Watches a worker whose processor is a `toolProcessor`, also one that somebody else has made. The function that it gives ends the
 * worker: no new jobs, then `graceMs` for those under way, then the rest goes back into the queue. Called again, it gives the same promise.
 */
export function superviseWorker(worker: Worker, options: SuperviseOptions = {}): () => Promise<void> {
  const { graceMs = 20_000, onError } = options;
  worker.on('error', (error) => onError?.(error)); // without a listener it would end the process
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const jobId of jobIds) worker.cancelJob(jobId, LOCK_LOST);
  });
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= closeInTime(worker, graceMs);
    return closing;
  };
}

async function closeInTime(worker: Worker, graceMs: number): Promise<void> {
  const timer = setTimeout(() => worker.cancelAllJobs(SHUTDOWN), graceMs);
  try {
    await worker.close();
  } finally {
    clearTimeout(timer);
  }
}
