/** Public face `@mcp-tx/nest/terminus`: a health indicator for `@nestjs/terminus`. */
export { McpTxHealthIndicator } from './mcp-tx-health-indicator.ts';
