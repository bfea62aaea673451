/** Public face `@mcp-tx/core/http`: what HTTP hosts stand on, and the types of the API that they all have. Every name here is public API. */
export { authenticateCaller, callerOf } from './hosts/access.ts';
export type {
  AcceptedView,
  ExecuteRequest,
  ExecuteResponse,
  HealthView,
  OperationList,
  OperationView,
} from './hosts/api-types.ts';
export type { BoundCallOptions, McpTxScope, ScopeBinding } from './hosts/bind-scope.ts';
export { bindScope } from './hosts/bind-scope.ts';
export type { FetchHandler, FetchHandlerOptions } from './hosts/fetch-handler.ts';
export { createFetchHandler, isKernelPath, splitMount, toResponse } from './hosts/fetch-handler.ts';
export { goneSignal } from './hosts/gone-signal.ts';
export type { HostDefaults, HostEnvironment, HostKind } from './hosts/host-defaults.ts';
export { HOST_DEFAULTS, hostDefaults } from './hosts/host-defaults.ts';
export type { HttpErrorCode, HttpErrorDetails, HttpErrorEntry, ProblemCode } from './hosts/http-error.ts';
export { HTTP_ERRORS, HttpError, isHttpError } from './hosts/http-error.ts';
export type { HttpKernel, KernelDrainOptions } from './hosts/http-kernel.ts';
export { createHttpKernel } from './hosts/http-kernel.ts';
export type { HeaderReader, HeaderSource, KernelBody, KernelRequest, KernelResponse } from './hosts/http-message.ts';
export { headerOf } from './hosts/http-message.ts';
export type { KeyHeaderOptions } from './hosts/idempotency-header.ts';
export { parseIdempotencyKey } from './hosts/idempotency-header.ts';
export type { Authenticate, HttpCaller, HttpKernelOptions, HttpLimits, Principal } from './hosts/kernel-options.ts';
export type { ClientSource, LazyClientOptions } from './hosts/lazy-client.ts';
export { lazyClient } from './hosts/lazy-client.ts';
export type { NodeHandler, NodeHandlerOptions } from './hosts/node-handler.ts';
export { createNodeHandler } from './hosts/node-handler.ts';
export type { OpenApiInfo } from './hosts/openapi.ts';
export type { ProblemAnswer, ProblemDetails } from './hosts/problem.ts';
export { PROBLEM_BASE, problemResponse, toProblem } from './hosts/problem.ts';
export type { RateLimit } from './hosts/rate-limit.ts';
export type { BodyLimits } from './hosts/request-body.ts';
export type { DeadlineSettings, Preferences } from './hosts/request-deadline.ts';
export { preferencesOf, timeoutOf } from './hosts/request-deadline.ts';
