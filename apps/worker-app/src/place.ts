/** Where the shop's queue is. */
import type { QueuePlace } from '@mcp-tx/bullmq';

/** The queue that front and worker share. */
export function shopQueue(): QueuePlace {
  const { hostname: host, port } = new URL(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
  return { name: 'shop', connection: { host, port: Number(port) || 6_379 } };
}
