/** Public face `@mcp-tx/testing`: a scripted instance for users' own tests. Every name here is public API. */
export type { VirtualClock } from '@mcp-tx/core';
export { virtualClock } from '@mcp-tx/core';
export type { FakeSend, FakeTool, FakeToolDefinition, Fate } from './fake-mcp-tx/fake-server.ts';
export type { FakeMcpTx, FakeMcpTxOptions } from './fake-mcp-tx.ts';
export { createFakeMcpTx } from './fake-mcp-tx.ts';
