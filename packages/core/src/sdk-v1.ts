/** Public face `@mcp-tx/core/sdk-v1`: connections with `@modelcontextprotocol/sdk`. Every name here is public API. */

export type { FetchLike } from './connect/fetch-observer.ts';
export type { HttpV1Options } from './connect/sdk-v1.ts';
export { http, stdio } from './connect/sdk-v1.ts';
export type { ClientIdentity, HttpServerOptions, StdioServerOptions } from './connect/server-options.ts';
export type { ServerSource } from './connect/server-source.ts';
