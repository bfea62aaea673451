/** Public face `@mcp-tx/server`. Every name here is public API. */

export { STATUS_METHOD } from '@mcp-tx/core/protocol';
export type { CurrentCall } from './current-call.ts';
export { currentCall } from './current-call.ts';
export type { AuthInfoLike, CallerContext, ScopeOf, ServerTxOptions } from './options.ts';
export type { ServerTx } from './with-mcp-tx.ts';
export { createServerTx, withMcpTx } from './with-mcp-tx.ts';
