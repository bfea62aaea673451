// A store that has lost writes: whoever has seen them stops, and nobody is stopped without a loss.
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Service } from '@mcp-tx/testing/services';
import { startRedis } from '@mcp-tx/testing/services';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RedisLedger } from '../src/index.ts';
import { redisLedger } from '../src/index.ts';
import { eyesOn, urlOf } from './support/redis-fixture.ts';
import { claimSome, requestOf } from './support/requests.ts';

let service: Service;
const open: RedisLedger[] = [];
const openLedger = (prefix?: string): RedisLedger => {
  const ledger = redisLedger({ url: urlOf(service), ...(prefix === undefined ? {} : { prefix }) });
  open.push(ledger);
  return ledger;
};

beforeEach(async () => {
  service = await startRedis();
}, 60_000);
afterEach(async () => {
  await Promise.all(open.splice(0).map((ledger) => ledger.close()));
  await service.stop();
});

const lost = { code: 'LEDGER_CORRUPT', execution: 'none', message: expect.stringContaining('lost writes') };

/** Ends the server, cuts `bytes` off the end of what it wrote, and starts it again. */
async function cutTail(bytes: number): Promise<void> {
  await service.kill();
  const folder = join(service.folder, 'appendonlydir');
  const name = readdirSync(folder).find((file) => file.endsWith('.incr.aof')) ?? '';
  const path = join(folder, name);
  const { size } = statSync(path);
  expect(size).toBeGreaterThan(bytes);
  truncateSync(path, size - bytes);
  await service.restart();
}

it('a cut tail of the file stops who has seen what was in it, for good; a new process goes on with what is left', async () => {
  const ledger = openLedger();
  const lease = await claimSome(ledger, 'early', 20);
  await cutTail(1_000);
  await expect(ledger.claim(requestOf('late'))).rejects.toMatchObject(lost);
  await expect(ledger.settle(lease, { state: 'completed', result: '{}' })).rejects.toMatchObject(lost);
  await expect(ledger.find(lease.operationId)).rejects.toMatchObject(lost);
  const fresh = openLedger();
  const { total } = await fresh.stats({});
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThan(20);
  await claimSome(fresh, 'after', 30);
  await expect(ledger.find(lease.operationId)).rejects.toMatchObject(lost);
});

it('others may have written more than was lost: who has seen what was lost is stopped all the same', async () => {
  const ledger = openLedger();
  const lease = await claimSome(ledger, 'early', 20);
  await cutTail(1_000);
  await claimSome(openLedger(), 'other', 100);
  await expect(ledger.find(lease.operationId)).rejects.toMatchObject(lost);
});

it('each of several starts counts, whichever of them lost something', async () => {
  const ledger = openLedger();
  const lease = await claimSome(ledger, 'early', 20);
  await cutTail(1_000);
  await claimSome(openLedger(), 'first', 50);
  await service.kill();
  await service.restart();
  await claimSome(openLedger(), 'second', 50);
  await expect(ledger.find(lease.operationId)).rejects.toMatchObject(lost);
});

it('a flush stops who was there, also once somebody has begun anew', async () => {
  const [before, after] = [openLedger(), openLedger()];
  await claimSome(before, 'before', 2);
  await claimSome(after, 'after', 2);
  const eyes = eyesOn(service);
  await eyes.flushall();
  await expect(before.claim(requestOf('late'))).rejects.toMatchObject(lost);
  expect(await eyes.dbsize()).toBe(0);
  await claimSome(openLedger(), 'new', 50);
  await expect(after.claim(requestOf('late'))).rejects.toMatchObject(lost);
  eyes.disconnect();
});

it('who has come upon a loss stays stopped, also when the count has caught up', async () => {
  const ledger = openLedger();
  const lease = await claimSome(ledger, 'early', 10);
  const eyes = eyesOn(service);
  await eyes.hincrby('{mcp-tx}:head', 'writes', -5); // as if by a store that was put back under way
  await expect(ledger.find(lease.operationId)).rejects.toMatchObject(lost);
  await eyes.hincrby('{mcp-tx}:head', 'writes', 50);
  await expect(ledger.find(lease.operationId)).rejects.toMatchObject(lost);
  eyes.disconnect();
});

it('starts without a loss, and scripts that the server forgot, stop nobody', async () => {
  const ledgers = [openLedger(), openLedger(), openLedger('other')];
  for (const [n, ledger] of ledgers.entries()) await claimSome(ledger, `ledger ${n}`, 5);
  for (let start = 0; start < 3; start += 1) {
    await service.kill();
    await service.restart();
    for (const [n, ledger] of ledgers.entries()) await claimSome(ledger, `start ${start}, ledger ${n}`, 5);
  }
  const eyes = eyesOn(service);
  await eyes.script('FLUSH');
  for (const [n, ledger] of ledgers.entries()) await claimSome(ledger, `flushed, ledger ${n}`, 5);
  expect(await eyes.hget('{mcp-tx}:head', 'generation')).toBe('4');
  eyes.disconnect();
  expect(await ledgers[0]?.stats({})).toMatchObject({ total: 50 });
});
