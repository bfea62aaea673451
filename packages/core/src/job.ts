/** Public face `@mcp-tx/core/job`: what queue hosts stand on. Every name here is public API. */
export type { HostDefaults, HostEnvironment, HostKind } from './hosts/host-defaults.ts';
export { HOST_DEFAULTS, hostDefaults } from './hosts/host-defaults.ts';
export type { JobProblem, JobReply, JobReplyMeta } from './hosts/job-reply.ts';
export { errorOf, isProblem, problemOf, replyOf, resultOf } from './hosts/job-reply.ts';
export type { ClientSource, LazyClientOptions } from './hosts/lazy-client.ts';
export { lazyClient } from './hosts/lazy-client.ts';
export type { RetryLater } from './hosts/retry-later.ts';
export type { JobEnd, JobOptions } from './hosts/run-job.ts';
export { refuseJob, runJob } from './hosts/run-job.ts';
export type { ReadJobOptions, ToolJob, ToolJobOptions } from './hosts/tool-job.ts';
export { createToolJob, JOB_VERSION, parseToolJob, readToolJob } from './hosts/tool-job.ts';
