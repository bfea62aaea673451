/** Public face `@mcp-tx/testing/vitest`: binds what is runner-agnostic to vitest. */
export type { LedgerSkip } from './ledger-contract/bind-vitest.ts';
export { describeLedgerContract } from './ledger-contract/bind-vitest.ts';
