/** A worker of BullMQ's whose jobs are tool calls. */
import type { ClientSource } from '@mcp-tx/core/job';
import type { Job, Worker, WorkerOptions } from 'bullmq';
import type { ToolJobReply } from './chain.ts';
import type { QueuePlace } from './connection.ts';
import { openWorker } from './connection.ts';
import { RunningJobs } from './running-jobs.ts';
import type { SuperviseOptions } from './supervise-worker.ts';
import { superviseWorker } from './supervise-worker.ts';
import type { ToolProcessorOptions } from './tool-processor.ts';
import { toolProcessor } from './tool-processor.ts';

/** Options of {@link createToolWorker}. */
export interface ToolWorkerOptions extends QueuePlace, ToolProcessorOptions, SuperviseOptions {
  /** An instance, or what makes one. The worker leaves it open when it is closed. */
  readonly client: ClientSource;
  /** Jobs under way at once. Default 8. More than the instance's `maxInFlight` come again later. */
  readonly concurrency?: number;
  /** How long a job of a worker that has died stays with it, ms. Default 30,000. */
  readonly lockDurationMs?: number;
  /** How often a job may lose its worker before BullMQ gives up on it. Default 5. */
  readonly maxStalledCount?: number;
  /** Anything else of BullMQ's: a limiter, telemetry, metrics. */
  readonly worker?: Omit<WorkerOptions, 'connection' | 'prefix'>;
}

/** A running worker. */
export interface ToolWorker extends AsyncDisposable {
  /** BullMQ's own. */
  readonly worker: Worker;
  /** Ends it: jobs under way get `graceMs`; the rest goes back into the queue. Repeated calls give the same promise. */
  close(): Promise<void>;
}

/** Starts a worker. */
export function createToolWorker(options: ToolWorkerOptions): ToolWorker {
  const { client, concurrency = 8, lockDurationMs = 30_000, maxStalledCount = 5 } = options;
  const running = new RunningJobs();
  const processor = toolProcessor(client, options);
  const settings = {
    maxStalledCount,
    stalledInterval: lockDurationMs,
    ...options.worker,
    concurrency,
    lockDuration: lockDurationMs,
  };
  // Two parameters: with three BullMQ would make an AbortController for each job.
  const process = (job: Job, token?: string): Promise<ToolJobReply> =>
    processor(job, token, running.begin(String(job.id)));
  const worker = openWorker(options, process, settings, running);
  const close = superviseWorker(worker, options);
  return { worker, close, [Symbol.asyncDispose]: close };
}
