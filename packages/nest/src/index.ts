/** Public face `@mcp-tx/nest`. Every name here is public API. */
export type { IdempotencyKeyOptions } from './idempotency-key.ts';
export { IdempotencyKey } from './idempotency-key.ts';
export { McpTxExceptionFilter } from './mcp-tx-exception-filter.ts';
export { McpTxInterceptor } from './mcp-tx-interceptor.ts';
export type { McpTxModuleAsyncOptions } from './mcp-tx-module.ts';
export { McpTxModule } from './mcp-tx-module.ts';
export { McpTxService } from './mcp-tx-service.ts';
export type {
  ConnectionOptions,
  ExistingInstance,
  McpTxHttpOptions,
  McpTxModuleExtras,
  McpTxModuleOptions,
  McpTxOptionsFactory,
} from './module-options.ts';
export { ReliableTool } from './reliable-tool.ts';
export { getMcpTxServiceToken, getMcpTxToken, InjectMcpTx, InjectMcpTxService } from './tokens.ts';
