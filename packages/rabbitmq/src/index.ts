/** Public face `@mcp-tx/rabbitmq`. Every name here is public API. */
export type { FormatName } from './message-format.ts';
export { deadLetterProblem } from './message-headers.ts';
export type { QueueOptions } from './queue-options.ts';
export { PYTHON_ORIGINAL } from './queue-options.ts';
export type { ReplyMode } from './reply-desk.ts';
export type { CallJobOptions, EnqueuedJob, EnqueueOptions, ToolClientOptions, ToolReply } from './tool-client.ts';
export { createToolClient, ToolClient } from './tool-client.ts';
export type { ToolWorkerOptions, WorkerHealth } from './tool-worker.ts';
export { createToolWorker, ToolWorker } from './tool-worker.ts';
