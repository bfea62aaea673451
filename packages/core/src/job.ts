/** Public face `@mcp-tx/core/job`: what queue hosts stand on. Every name here is public API. */
export type { HostDefaults, HostEnvironment, HostKind } from './hosts/host-defaults.ts';
export { HOST_DEFAULTS, hostDefaults } from './hosts/host-defaults.ts';
export type { ClientSource, LazyClientOptions } from './hosts/lazy-client.ts';
export { lazyClient } from './hosts/lazy-client.ts';
export type { JobEnd, JobOptions } from './hosts/run-job.ts';
export { refuseJob, runJob } from './hosts/run-job.ts';
export type { ToolJob } from './hosts/tool-job.ts';
export { JOB_VERSION, parseToolJob } from './hosts/tool-job.ts';
