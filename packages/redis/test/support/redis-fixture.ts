/** The fixture of the ledger contract on Redis: keys of its own for each case, outages by killing the server. */
import type { LedgerFixture, RawRecord } from '@mcp-tx/testing/ledger-contract';
import type { Service } from '@mcp-tx/testing/services';
import { Redis } from 'ioredis';
import type { RedisLedger } from '../../src/index.ts';
import { redisLedger } from '../../src/index.ts';
import type { FieldName } from '../../src/scripts/fields.ts';
import { CODED, FIELDS } from '../../src/scripts/fields.ts';

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
  const row = await keptOf(eyes, prefix, operationId);
  if (row?.state === undefined || row.tombstone !== undefined) return undefined;
  const result = typeof row.result === 'number' ? await eyes.get(`{${prefix}}:result:${operationId}`) : row.result;
  const { fence, attempts } = row;
  const state = CODED.state[Number(row.state) - 1];
  return { state: String(state), fence: Number(fence), attempts: Number(attempts), result: result as never };
}

/** What a record's key holds, by the names of its fields. */
export async function keptOf(
  eyes: Redis,
  prefix: string,
  operationId: string,
): Promise<Partial<Record<FieldName, string | number>> | undefined> {
  const key = `{${prefix}}:op:${operationId}`;
  if ((await eyes.exists(key)) === 0) return undefined;
  const kept = await eyes.eval("return cmsgpack.unpack(redis.call('GET', KEYS[1]))", 1, key);
  return Object.fromEntries(FIELDS.map((name, at) => [name, (kept as readonly never[])[at] ?? undefined]));
}

/** Writes something else into one field of a record. */
export async function tamper(
  eyes: Redis,
  prefix: string,
  operationId: string,
  field: FieldName,
  value: string,
): Promise<void> {
  const script = `
    local kept = cmsgpack.unpack(redis.call('GET', KEYS[1]))
    kept[tonumber(ARGV[1])] = ARGV[2]
    redis.call('SET', KEYS[1], cmsgpack.pack(kept))`;
  await eyes.eval(script, 1, `{${prefix}}:op:${operationId}`, FIELDS.indexOf(field) + 1, value);
}
