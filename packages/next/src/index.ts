/** Public face `@mcp-tx/next`. Every name here is public API. */
export type { ActionOptions, ActionResult } from './action.ts';
export { action } from './action.ts';
export { drainOnSignals } from './drain.ts';
export type { McpTxHandlers, McpTxHandlersOptions } from './handlers.ts';
export { createMcpTxHandlers } from './handlers.ts';
export { refuseMalformedPath } from './malformed-path.ts';
export type { ProblemOptions } from './own-error.ts';
export type { Closable } from './singleton.ts';
export { mcpTxSingleton } from './singleton.ts';
export type { Warmable } from './warm.ts';
export { warm } from './warm.ts';
export type { McpTxRouteHandler, WithMcpTxOptions } from './with-mcp-tx.ts';
export { withMcpTx } from './with-mcp-tx.ts';
