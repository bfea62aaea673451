/** Public face `@mcp-tx/core/sdk-v2`: connections with `@modelcontextprotocol/client`. Every name here is public API. */

export type { FetchLike } from './connect/fetch-observer.ts';
export type { HttpV2Options, StdioV2Options, VersionNegotiation } from './connect/sdk-v2.ts';
export { http, stdio } from './connect/sdk-v2.ts';
export type { ClientIdentity, HttpServerOptions, StdioServerOptions } from './connect/server-options.ts';
export type { ServerSource } from './connect/server-source.ts';
