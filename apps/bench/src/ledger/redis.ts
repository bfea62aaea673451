// Redis that syncs each write to a disk: our ledger, two scripts, and those who keep idempotency records in it.
import { redisLedger } from '@mcp-tx/redis';
import { startRedis } from '@mcp-tx/testing/services';
import { Redis } from 'ioredis';
import type { Store } from './store.ts';
import type { Subject } from './subject.ts';
import { keyBytes, oneByOne, RESULT, tool } from './subject.ts';

const BEGIN = `return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])`;
const END = `return redis.call('SET', KEYS[1], ARGV[1], 'XX', 'PX', ARGV[2])`;
const TTL_MS = 3_600_000;

interface WithScripts {
  benchBegin(key: string, value: string, ttlMs: number): Promise<unknown>;
  benchEnd(key: string, value: string, ttlMs: number): Promise<unknown>;
}

/** Starts it, with its data on a disk or in memory. */
export async function openRedis(onDisk: boolean): Promise<Store> {
  const server = await startRedis([], { onDisk });
  const peers = () => import('./peers/redis-peers.ts');
  return {
    name: 'redis',
    bareSays: 'ioredis, two scripts, each synced',
    port: server.port,
    async openLedger(port) {
      const ledger = redisLedger({ url: `redis://127.0.0.1:${port}` });
      return { ledger, [Symbol.asyncDispose]: () => ledger.close() };
    },
    openBare: () => openBare(server.port),
    peers: [
      {
        id: 'powertools',
        says: '@aws-lambda-powertools/idempotency 2.35.0, its cache layer on redis 6.3.1',
        open: async () => (await peers()).openPowertools(server.port),
      },
      {
        id: 'nodeIdempotency',
        says: '@node-idempotency/core 1.0.11, storage-adapter-redis 1.0.2',
        open: async () => (await peers()).openNodeIdempotency(server.port),
      },
    ],
    goals: [],
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function openBare(port: number): Promise<Subject> {
  const scripts = { benchBegin: { lua: BEGIN, numberOfKeys: 1 }, benchEnd: { lua: END, numberOfKeys: 1 } };
  const client = new Redis({ port, scripts });
  const run = client as unknown as WithScripts;
  const opened = performance.timeOrigin + performance.now();
  return oneByOne(
    async (n) => {
      const key = keyBytes(`order:${opened}:${n}`).toString('base64url');
      if ((await run.benchBegin(`bare:${key}`, `sent ${key}`, TTL_MS)) !== 'OK') throw new Error('not begun');
      await tool();
      if ((await run.benchEnd(`bare:${key}`, RESULT, TTL_MS)) !== 'OK') throw new Error('not ended');
    },
    async () => client.disconnect(),
  );
}
