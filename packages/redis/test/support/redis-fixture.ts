/** The fixture of the ledger contract on Redis: keys of its own for each case, outages by killing the server. */
import type { LedgerFixture, RawRecord } from '@mcp-tx/testing/ledger-contract';
import type { Service } from '@mcp-tx/testing/services';
import { Redis } from 'ioredis';
import type { RedisLedger } from '../../src/index.ts';
import { redisLedger } from '../../src/index.ts';

let count = 0;

/** Keys that no other test uses. */
export function newPrefix(): string {
  count += 1;
  return `ledger-${process.pid}-${count}`;
}

export function urlOf({ port }: Service): string {
  return `redis://127.0.0.1:${port}`;
}

/** A client that looks at the store for itself. */
export function eyesOn(service: Service): Redis {
  const eyes = new Redis(urlOf(service), { maxRetriesPerRequest: null });
  eyes.on('error', () => undefined); // a server that is killed
  return eyes;
}

export async function redisFixture(service: Service): Promise<LedgerFixture> {
  const prefix = newPrefix();
  const url = urlOf(service);
  const eyes = eyesOn(service);
  let now = Date.now();
  let ledger: RedisLedger | undefined;
  const open = async (): Promise<RedisLedger> => {
    ledger = redisLedger({ url, prefix, timeoutMs: 1_500, clock: { now: () => now } });
    return ledger;
  };
  return {
    open,
    async reopen() {
      await ledger?.close();
      return open();
    },
    rawRecord: (operationId) => rawRecord(eyes, prefix, operationId),
    async advance(ms) {
      now += ms;
    },
    worker: {
      module: new URL('./redis-worker.ts', import.meta.url).href,
      argument: JSON.stringify({ url, prefix }),
      execArgv: ['--conditions=mcp-tx:source'],
    },
    async breakStore() {
      await service.kill();
      return () => service.restart();
    },
    async close() {
      await ledger?.close();
      eyes.disconnect();
    },
  };
}

async function rawRecord(eyes: Redis, prefix: string, operationId: string): Promise<RawRecord | undefined> {
  const row = await eyes.hgetall(`{${prefix}}:op:${operationId}`);
  if (row.state === undefined || row.tombstone !== undefined) return undefined;
  return { state: row.state, fence: Number(row.fence), attempts: Number(row.attempts), result: row.result };
}
