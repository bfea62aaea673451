/** Public face `@mcp-tx/testing/services`: private instances of real servers, on free ports of loopback, that a test may kill. */
export { startMariadb } from './services/mariadb.ts';
export { startPostgres } from './services/postgres.ts';
export type { RabbitmqService } from './services/rabbitmq.ts';
export { startRabbitmq } from './services/rabbitmq.ts';
export { startRedis } from './services/redis.ts';
export type { Service, ServicePlace } from './services/service.ts';
export type { TcpProxy } from './services/tcp-proxy.ts';
export { startTcpProxy } from './services/tcp-proxy.ts';
