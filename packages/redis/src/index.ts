/** Public face `@mcp-tx/redis`: a ledger on Redis or Valkey. Every name here is public API. */
export type { RedisLedger } from './redis-ledger.ts';
export { redisLedger } from './redis-ledger.ts';
export type { RedisClient, RedisLedgerOptions } from './redis-ledger-options.ts';
