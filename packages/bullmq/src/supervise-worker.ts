/** Makes a worker of BullMQ's let go of jobs: those whose lock is lost at once, and those that hang when it is closed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'bullmq';
import { LOCK_LOST, SHUTDOWN } from './tool-processor.ts';

/** After the grace: for putting jobs back. */
const LET_GO_MS = 2_000;
const LOOK_MS = 20;

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

/**
 * A worker of BullMQ's whose connection is just being made anew never comes to the end of its `close()` (taskforcesh/bullmq#4656), so
 * the connection is waited for first, and in the end everything is let go of: jobs still held come again when their locks end.
 */
async function closeInTime(worker: Worker, graceMs: number): Promise<void> {
  const done = new AbortController();
  const cancelling = setTimeout(() => worker.cancelAllJobs(SHUTDOWN), graceMs);
  const late = sleep(graceMs + LET_GO_MS, 'late' as const, { signal: done.signal }).catch(() => 'done' as const);
  const closing = connected(worker, done.signal).then(() => (done.signal.aborted ? undefined : worker.close()));
  try {
    if ((await Promise.race([closing, late])) === 'late') void worker.disconnect().catch(() => undefined);
  } finally {
    clearTimeout(cancelling);
    done.abort();
  }
}

/** Resolves when the connection that a worker waits for jobs on is there; at once for other backends than Redis. */
async function connected(worker: Worker, stop: AbortSignal): Promise<void> {
  const connection = worker.getBackend().blockingConnection;
  const client = await connection?.client.catch(() => undefined);
  while (client !== undefined && client.status !== 'ready' && !stop.aborted)
    await sleep(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
}
