/** Public face `@mcp-tx/testing/vitest`: binds what is runner-agnostic to vitest. */

export type { FakeMcpTxFixture } from './fake-mcp-tx/bind-vitest.ts';
export { mcpTxTest } from './fake-mcp-tx/bind-vitest.ts';
export type { HttpSkip } from './http-contract/bind-vitest.ts';
export { describeHttpContract } from './http-contract/bind-vitest.ts';
export type { JobSkip } from './job-contract/bind-vitest.ts';
export { describeJobContract } from './job-contract/bind-vitest.ts';
export type { LedgerSkip } from './ledger-contract/bind-vitest.ts';
export { describeLedgerContract } from './ledger-contract/bind-vitest.ts';
