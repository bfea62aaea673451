// The ledger on Redis beyond the contract: what the server must promise, full memory, clients, clusters, damage.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Service } from '@mcp-tx/testing/services';
import { startRedis } from '@mcp-tx/testing/services';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RedisLedger, RedisLedgerOptions } from '../src/index.ts';
import { redisLedger } from '../src/index.ts';
import { eyesOn, newPrefix, urlOf } from './support/redis-fixture.ts';
import { claimSome, requestOf } from './support/requests.ts';

let service: Service;
let eyes: Redis;
const open: RedisLedger[] = [];
const openLedger = (options: RedisLedgerOptions = {}): RedisLedger => {
  const at = options.client === undefined ? { url: urlOf(service) } : {};
  const ledger = redisLedger({ ...at, prefix: newPrefix(), ...options });
  open.push(ledger);
  return ledger;
};
const DONE = { state: 'completed', result: '{}' } as const;

beforeAll(async () => {
  service = await startRedis();
  eyes = eyesOn(service);
}, 60_000);
afterEach(async () => {
  await Promise.all(open.splice(0).map((ledger) => ledger.close()));
});
afterAll(async () => {
  eyes.disconnect();
  await service.stop();
});

describe('what the server promises', () => {
  const refused = (words: string) => ({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) });
  afterEach(async () => {
    await eyes.config('SET', 'appendonly', 'yes', 'appendfsync', 'always', 'maxmemory-policy', 'noeviction');
  });

  it('a class above what the server promises is refused at the first use, and leaves nothing there', async () => {
    await eyes.config('SET', 'appendfsync', 'everysec');
    const prefix = newPrefix();
    await expect(openLedger({ prefix }).claim(requestOf('a'))).rejects.toMatchObject(refused("durability: 'async'"));
    expect(await eyes.exists(`{${prefix}}:head`)).toBe(0);
    expect(await openLedger({ durability: 'async' }).claim(requestOf('a'))).toMatchObject({ kind: 'claimed' });
    await eyes.config('SET', 'appendonly', 'no');
    await expect(openLedger({ durability: 'async' }).stats({})).rejects.toMatchObject(refused("durability: 'process'"));
    await expect(openLedger().stats({})).rejects.toMatchObject(refused('appendfsync always'));
    expect(await openLedger({ durability: 'process' }).stats({})).toMatchObject({ total: 0 });
  });

  it('a server that evicts records is refused; one that evicts only what has a time to live is not', async () => {
    for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random']) {
      await eyes.config('SET', 'maxmemory-policy', policy);
      await expect(openLedger().claim(requestOf('a'))).rejects.toMatchObject(refused(policy));
    }
    await eyes.config('SET', 'maxmemory-policy', 'volatile-lru');
    expect(await openLedger().claim(requestOf('a'))).toMatchObject({ kind: 'claimed' });
  });

  it('once the cure is applied the same ledger works', async () => {
    await eyes.config('SET', 'appendfsync', 'no');
    const ledger = openLedger();
    await expect(ledger.claim(requestOf('a'))).rejects.toMatchObject(refused('appendfsync always'));
    await eyes.config('SET', 'appendfsync', 'always');
    expect(await ledger.claim(requestOf('a'))).toMatchObject({ kind: 'claimed' });
  });
});

it('a server that has less to promise after its start is refused from then on', async () => {
  const own = await startRedis();
  try {
    const ledger = openLedger({ url: urlOf(own) });
    const lease = await claimSome(ledger, 'a', 1);
    const look = eyesOn(own);
    await own.kill();
    await own.restart();
    await look.config('SET', 'appendfsync', 'everysec'); // before anybody asks it anything
    look.disconnect();
    await expect(ledger.settle(lease, DONE)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  } finally {
    await own.stop();
  }
}, 60_000);

it('no key ever has a time to live, all are of one slot, and a purge leaves nothing but the head', async () => {
  const prefix = newPrefix();
  let now = Date.now();
  const ledger = openLedger({ prefix, clock: { now: () => now } });
  const quarantine = { session: 's', windowMs: 60_000 };
  const end = async (name: string): Promise<string> => {
    const { lease } = (await ledger.claim(requestOf(name, { quarantine, arguments: '{}' }))) as never as {
      lease: Parameters<RedisLedger['settle']>[0];
    };
    await ledger.settle(lease, { state: 'in_doubt', reason: 'timeout' });
    return lease.operationId;
  };
  const ids = [await end('a'), await end('b')];
  await claimSome(ledger, 'sent', 3);
  now += 3_600_000;
  expect(await ledger.sweep(100)).toHaveLength(3);
  const keys = await eyes.keys(`{${prefix}}:*`);
  expect(keys.length).toBeGreaterThan(6);
  for (const key of keys) expect([key, await eyes.ttl(key)]).toEqual([key, -1]);
  for (const key of await eyes.keys('*')) expect(key).toMatch(/^\{[^{}]+\}:/);
  const doubts = (await ledger.list({ states: ['in_doubt'] })).records;
  expect(doubts.map(({ operationId }) => operationId)).toEqual(expect.arrayContaining(ids));
  expect(await ledger.purge(now * 2, 1_000)).toBe(0); // doubt never goes by age
  for (const { operationId } of doubts) {
    await ledger.resolve(operationId, { outcome: DONE, by: 'mia', reason: 'looked' });
  }
  expect(await ledger.purge(now * 2, 1_000)).toBe(5);
  expect(await ledger.purge(now * 3, 1_000)).toBe(5);
  expect(await eyes.keys(`{${prefix}}:*`)).toEqual([`{${prefix}}:head`]);
});

it('when the memory is full new operations are refused, and those under way come to their end', async () => {
  const ledger = openLedger();
  const lease = await claimSome(ledger, 'before', 1);
  await eyes.config('SET', 'maxmemory', '1');
  try {
    await expect(ledger.claim(requestOf('new'))).rejects.toMatchObject({ code: 'LEDGER_FULL' });
    expect(await ledger.renewAll([lease])).toEqual([true]);
    expect(await ledger.settle(lease, DONE)).toBe(true);
    expect(await ledger.claim(requestOf('before 0'))).toMatchObject({ kind: 'replay' });
    await expect(ledger.claim(requestOf('newer'))).rejects.toMatchObject({ code: 'LEDGER_FULL' });
  } finally {
    await eyes.config('SET', 'maxmemory', '0');
  }
  expect(await ledger.claim(requestOf('new'))).toMatchObject({ kind: 'claimed' });
});

it('a server that is away is LEDGER_UNAVAILABLE at the first use and later, and then it goes on', async () => {
  const own = await startRedis();
  try {
    const client = new Redis(urlOf(own), { lazyConnect: true });
    client.on('error', () => undefined);
    const ledgers = [openLedger({ url: urlOf(own), timeoutMs: 700 }), openLedger({ client, timeoutMs: 700 })];
    const leases = [];
    for (const [n, ledger] of ledgers.entries()) leases.push(await claimSome(ledger, `of ${n}`, 1));
    await own.kill();
    const gone = { code: 'LEDGER_UNAVAILABLE', execution: 'none', retryable: true };
    const late = openLedger({ url: urlOf(own), timeoutMs: 700 });
    for (const ledger of [...ledgers, late]) {
      await expect(ledger.claim(requestOf('away'))).rejects.toMatchObject(gone);
    }
    await own.restart();
    for (const [n, ledger] of ledgers.entries()) {
      await expect.poll(() => ledger.stats({}).catch(() => undefined), { timeout: 10_000 }).toBeDefined();
      expect(await ledger.find(requestOf('away').operationId)).toBeUndefined(); // what was refused did not run later
      expect(await ledger.settle(leases[n] as never, DONE)).toBe(true);
    }
    await expect.poll(() => late.stats({}).catch(() => undefined), { timeout: 10_000 }).toBeDefined();
    await ledgers[1]?.close();
    expect(await client.ping()).toBe('PONG'); // the client is not ours to end
    client.disconnect();
    await expect(ledgers[1]?.stats({})).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
  } finally {
    await own.stop();
  }
}, 60_000);

it('an ended client is told by its code', async () => {
  const client = new Redis(urlOf(service));
  const ledger = openLedger({ client });
  const { operationId } = await claimSome(ledger, 'a', 1);
  client.disconnect();
  await expect(ledger.find(operationId)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
});

it('counts of more records than one step looks at are whole, with and without a filter', async () => {
  const ledger = openLedger();
  const leases = [];
  for (let n = 0; n < 1_300; n += 100) {
    const claims = Array.from({ length: 100 }, (_, i) => ledger.claim(requestOf(`many ${n + i}`)));
    for (const claim of await Promise.all(claims)) if (claim.kind === 'claimed') leases.push(claim.lease);
  }
  await Promise.all(leases.slice(0, 600).map((lease) => ledger.settle(lease, DONE)));
  const byState = { claimed: 0, sent: 700, completed: 600, failed: 0, in_doubt: 0 };
  const expected = { byState, contradicted: 0, total: 1_300 };
  expect(await ledger.stats({})).toEqual(expected);
  expect(await ledger.stats({ scope: 'default' })).toEqual(expected);
  expect((await ledger.list({ limit: 1_000, tool: 'charge' })).records).toHaveLength(1_000);
  expect(await ledger.renewAll(leases)).toEqual(leases.map((_, n) => n >= 600));
});

it('a server that hangs runs nothing later that was refused before it was sent', async () => {
  const own = await startRedis();
  try {
    const client = eyesOn(own);
    await client.ping();
    const ledger = openLedger({ client, timeoutMs: 500 });
    process.kill(own.pid, 'SIGSTOP'); // it is asked what it promises, and does not answer
    await expect(ledger.claim(requestOf('hung'))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    process.kill(own.pid, 'SIGCONT');
    await expect.poll(() => ledger.stats({}).catch(() => undefined), { timeout: 10_000 }).toBeDefined();
    await client.ping(); // whatever was sent before has been done
    expect(await ledger.find(requestOf('hung').operationId)).toBeUndefined();
    client.disconnect();
  } finally {
    await own.stop();
  }
}, 60_000);

it('a store of another version, newer or older, is refused', async () => {
  const prefix = newPrefix();
  await claimSome(openLedger({ prefix }), 'a', 1);
  for (const [version, cure] of [
    ['99', 'update it'],
    ['1', 'another prefix'],
  ] as const) {
    await eyes.hset(`{${prefix}}:head`, 'version', version);
    const refused = { code: 'LEDGER_VERSION', message: expect.stringContaining(cure) };
    await expect(openLedger({ prefix }).find('op_')).rejects.toMatchObject(refused);
  }
});

it('works on a cluster', async () => {
  const bus = createServer().listen(0, '127.0.0.1');
  await once(bus, 'listening');
  const { port } = bus.address() as AddressInfo;
  bus.close();
  await once(bus, 'close');
  const settings = ['--cluster-enabled', 'yes', '--cluster-port', String(port), '--cluster-announce-ip', '127.0.0.1'];
  const node = await startRedis(settings);
  const admin = eyesOn(node);
  const client = new Cluster([{ host: node.host, port: node.port }], { lazyConnect: true });
  client.on('error', () => undefined);
  try {
    await admin.cluster('ADDSLOTSRANGE', 0, 16_383);
    await expect.poll(() => admin.cluster('INFO'), { timeout: 20_000 }).toContain('cluster_state:ok');
    const ledger = openLedger({ client, timeoutMs: 20_000 });
    const lease = await claimSome(ledger, 'a', 10);
    expect(await ledger.settle(lease, DONE)).toBe(true);
    expect(await ledger.stats({})).toMatchObject({ total: 10, byState: { sent: 9, completed: 1 } });
    await ledger.close();
  } finally {
    client.disconnect();
    admin.disconnect();
    await node.stop();
  }
}, 60_000);

it('options that cannot be are refused by name', () => {
  const url = urlOf(service);
  expect(() => redisLedger({})).toThrow('either client or url');
  expect(() => redisLedger({ url: 'localhost:6379' })).toThrow('url');
  expect(() => redisLedger({ url, prefix: 'a}b' })).toThrow('prefix');
  expect(() => redisLedger({ url, durability: 'disk' as never })).toThrow('durability');
  expect(() => redisLedger({ url, timeoutMs: 0 })).toThrow('timeoutMs');
});
