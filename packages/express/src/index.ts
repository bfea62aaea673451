/** Public face `@mcp-tx/express`. Every name here is public API. */
export type { Closable, DrainOptions } from './drain.ts';
export { drain } from './drain.ts';
export type { ErrorHandlerOptions } from './error-handler.ts';
export { mcpTxErrorHandler } from './error-handler.ts';
export type { McpTxMiddlewareOptions } from './mcp-tx.ts';
export { getMcpTx, mcpTx } from './mcp-tx.ts';
export type { McpTxRouter } from './router.ts';
export { createMcpTxRouter } from './router.ts';
