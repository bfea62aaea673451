/** Public face `@mcp-tx/core`. Every name here is public API. */
export type {
  CallToolParams,
  McpClientLike,
  RequestOptionsLike,
  ToolDefinition,
  TransportLike,
} from './connect/mcp-client.ts';
export type { OperationStatus } from './connect/operation-status.ts';
export type {
  ConnectionContext,
  ConnectionState,
  ServerConnection,
  ServerSource,
  TaskStatus,
} from './connect/server-source.ts';
export { serverSource } from './connect/server-source.ts';
export type { BreakerOptions } from './engine/breaker.ts';
export type { CallEvents, EventOfCall, Listener } from './engine/call-events.ts';
export type { Sending, SendRequest, ToolCaller } from './engine/tool-caller.ts';
export type { BroadcastOptions, BroadcastPolicy, Settled } from './hub/broadcast.ts';
export type { Hub, HubResult } from './hub/hub.ts';
export { createHub } from './hub/hub.ts';
export type { HubHealth, HubServerHealth } from './hub/hub-health.ts';
export type { HubOptions, HubServerOptions } from './hub/hub-options.ts';
export type { HubTool, HubTools } from './hub/hub-tools.ts';
export type { Pool } from './hub/pool.ts';
export { createPool } from './hub/pool.ts';
export type { AcquireOptions, PoolOptions, PoolState } from './hub/pool-options.ts';
export type { PooledSession } from './hub/pooled-session.ts';
export type { ChangedTool, PinnedTools, ReviewedTool } from './hub/tool-pins.ts';
export type { ListQuery, Page } from './ledger/ledger-reader.ts';
export type { MemoryLedgerOptions } from './ledger/memory-ledger.ts';
export { memoryLedger } from './ledger/memory-ledger.ts';
export type { AuditLine, OperationRecord, OperationState } from './ledger/record.ts';
export type {
  CallMeta,
  CallOutcome,
  ContentBlock,
  DedupeScope,
  DeliveryMode,
  Guarantee,
  McpTxResult,
  ToolResult,
} from './outcome/call-result.ts';
export type { Durability } from './outcome/durability.ts';
export type { InDoubtReason, Outcome, StoredError } from './outcome/outcome.ts';
export type { CodeEntry, Execution, ServerError, TxErrorCode, TxErrorDetails } from './outcome/tx-error.ts';
export { isMcpTxError, McpTxError, TX_ERRORS } from './outcome/tx-error.ts';
export type { Backoff } from './policy/backoff.ts';
export type { AttemptClass } from './policy/classify.ts';
export { MAX_KEY_LENGTH } from './policy/identity.ts';
export type { ErrorFrame, Observation, ThrownFacts } from './policy/observation.ts';
export type {
  CallOptions,
  Probe,
  ProbeContext,
  ProbeOperation,
  ProbeVerdict,
  Progress,
  RetrySettings,
  ToolRule,
} from './policy/settings.ts';
export type { ToolHints } from './policy/tool-safety.ts';
export type { CapabilitiesLike } from './protocol/capability.ts';
export type { TxRequestMeta } from './protocol/tx-meta.ts';
export type { AbortSource } from './runtime/abort-source.ts';
export type { Clock, Timer } from './runtime/clock.ts';
export { systemClock } from './runtime/clock.ts';
export type { Random } from './runtime/random.ts';
export { systemRandom } from './runtime/random.ts';
export type { VirtualClock } from './runtime/virtual-clock.ts';
export { virtualClock } from './runtime/virtual-clock.ts';
export type { Health } from './session/health.ts';
export type { McpTx } from './session/mcp-tx.ts';
export { createMcpTx } from './session/mcp-tx.ts';
export type { Verdict } from './session/operator.ts';
export type { Limits, McpTxOptions } from './session/options.ts';
export type { ProbeReport } from './session/probe-record.ts';
export type { Logger, LogRequests } from './session/request-log.ts';
export type { SweepReport } from './session/sweeper.ts';
export type { ToolObjection, ToolWatch } from './session/tool-catalog.ts';
export type {
  LocalToolContext,
  LocalToolDefinition,
  LocalToolHandler,
  StandardResult,
  StandardSchema,
} from './session/tool-registry.ts';
