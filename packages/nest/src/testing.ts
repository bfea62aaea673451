/** Public face `@mcp-tx/nest/testing`: puts a fake instance where a connection would be. */
export { provideFakeMcpTx } from './provide-fake-mcp-tx.ts';
