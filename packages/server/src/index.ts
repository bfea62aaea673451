/** Public face `@mcp-tx/server`. Every name here is public API. */
export type { CurrentCall } from './current-call.ts';
export { currentCall } from './current-call.ts';
export type { AuthInfoLike, CallerContext, ScopeOf, ServerTxOptions } from './options.ts';
export { STATUS_METHOD } from './status.ts';
export type { ServerTx } from './with-mcp-tx.ts';
export { createServerTx, withMcpTx } from './with-mcp-tx.ts';
