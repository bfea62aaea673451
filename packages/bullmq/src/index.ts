/** Public face `@mcp-tx/bullmq`: reliable tool calls as jobs of BullMQ. Every name here is public API. */
export type { ToolJobReply } from './chain.ts';
export type { QueuePlace } from './connection.ts';
export { problemOfReason } from './failed-reason.ts';
export type { FromPrev } from './from-prev.ts';
export { fromPrev } from './from-prev.ts';
export { jobIdOf } from './job-id.ts';
export type { PutJob } from './put-job.ts';
export type { JobAbort } from './running-jobs.ts';
export type { SuperviseOptions } from './supervise-worker.ts';
export { superviseWorker } from './supervise-worker.ts';
export type { ToolProcessor, ToolProcessorOptions } from './tool-processor.ts';
export { toolProcessor } from './tool-processor.ts';
export type { ChainStep, EnqueueOptions, QueuedCall, ToolQueue, ToolQueueOptions, ToolSchedule } from './tool-queue.ts';
export { createToolQueue } from './tool-queue.ts';
export type { ToolWorker, ToolWorkerOptions } from './tool-worker.ts';
export { createToolWorker } from './tool-worker.ts';
export type { ToolJobResult, WaitOptions } from './wait-for-end.ts';
