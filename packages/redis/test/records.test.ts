// How records are kept: what stands in their keys, what is long, and what is not one of ours.
import { identify } from '@mcp-tx/core/ledger';
import type { Service } from '@mcp-tx/testing/services';
import { startRedis } from '@mcp-tx/testing/services';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { keptDigest, wholeDigest } from '../src/digest.ts';
import type { RedisLedger } from '../src/index.ts';
import { redisLedger } from '../src/index.ts';
import { eyesOn, keptOf, newPrefix, tamper, urlOf } from './support/redis-fixture.ts';
import { claimSome, requestOf } from './support/requests.ts';

let service: Service;
let eyes: Redis;
let ledger: RedisLedger;
let prefix: string;
let now: number;

beforeAll(async () => {
  service = await startRedis();
  eyes = eyesOn(service);
}, 60_000);
const open = (): void => {
  [prefix, now] = [newPrefix(), Date.now()];
  ledger = redisLedger({ url: urlOf(service), prefix, clock: { now: () => now } });
};
afterEach(() => ledger.close());
afterAll(async () => {
  eyes.disconnect();
  await service.stop();
});

it('of a digest is kept what the id does not say, and it is told whole', async () => {
  open();
  for (let n = 0; n < 500; n += 1) {
    const { operationId, digest } = identify('default', 'payments', `key ${n}`);
    const kept = keptDigest(operationId, digest);
    expect([kept.length, wholeDigest(operationId, kept)]).toEqual([22, digest]);
  }
  const { digest } = requestOf('a');
  for (const other of ['', `${digest.slice(0, -1)}x`, digest.toUpperCase(), '0'.repeat(64)]) {
    expect(keptDigest(requestOf('a').operationId, other)).toBe(other);
  }
  const { operationId } = await claimSome(ledger, 'a', 1);
  expect((await keptOf(eyes, prefix, operationId))?.digest).toHaveLength(22);
  expect(await ledger.find(operationId)).toMatchObject({ digest: requestOf('a 0').digest });
});

it('long arguments and results have keys of their own, which go with them', async () => {
  open();
  const [long, result] = [JSON.stringify('\u{1F4B6}\0'.repeat(2_000)), JSON.stringify('y'.repeat(3_000))];
  const request = requestOf('long', { arguments: long, mode: 'at-least-once', leaseMs: 10 });
  const { operationId } = request;
  const places = [`{${prefix}}:arguments:${operationId}`, `{${prefix}}:result:${operationId}`] as const;
  await ledger.claim(request);
  expect(await eyes.exists(...places)).toBe(1);
  now += 1_000;
  const again = await ledger.claim({ ...request, ownerToken: 'another' }); // takes over what is told, and keeps it as it is
  expect(again).toMatchObject({ kind: 'claimed', takenOver: { arguments: long } });
  expect((await keptOf(eyes, prefix, operationId))?.arguments).toBe(Buffer.byteLength(long));
  if (again.kind !== 'claimed') return;
  const done = { state: 'completed', result } as const;
  expect([await ledger.settle(again.lease, done), await ledger.settle(again.lease, done)]).toEqual([true, true]);
  expect(await ledger.settle(again.lease, { ...done, result: `${result} ` })).toBe(false);
  expect(await eyes.exists(...places)).toBe(2);
  expect((await ledger.list({})).records).toMatchObject([{ arguments: long, outcome: done }]);
  expect(await ledger.purge(now * 2, 10)).toBe(1);
  expect(await eyes.exists(...places)).toBe(0);
  expect(await ledger.claim({ ...request, ownerToken: 'third' })).toEqual({ kind: 'expired' });
});

it('a record that was tampered with is told by its code', async () => {
  open();
  const { operationId } = await claimSome(ledger, 'a', 1);
  const key = `{${prefix}}:op:${operationId}`;
  const whole = (await eyes.getBuffer(key)) ?? '';
  for (const [field, value] of [
    ['fence', 'many'],
    ['sent_at', 'early'],
    ['state', 'completed'],
    ['state', 'lost'],
    ['mode', '9'],
  ] as const) {
    await tamper(eyes, prefix, operationId, field, value);
    await expect(ledger.find(operationId)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT', operationId });
    await eyes.set(key, whole);
    expect(await ledger.find(operationId)).toMatchObject({ operationId });
  }
});

it('a key that does not hold a record of ours is told by its code, wherever it is met', async () => {
  const corrupt = { code: 'LEDGER_CORRUPT', execution: 'none' };
  for (const damage of ['text', 'part', 'other', 'hash', 'gone'] as const) {
    open();
    const lease = await claimSome(ledger, 'a', 1);
    const { operationId } = lease;
    const key = `{${prefix}}:op:${operationId}`;
    if (damage === 'text') await eyes.set(key, 'not a record');
    if (damage === 'part')
      await eyes.eval("redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], 0, 99))", 1, key);
    if (damage === 'other') await eyes.eval("redis.call('SET', KEYS[1], cmsgpack.pack({ 1, 2 }))", 1, key);
    if (damage === 'hash' || damage === 'gone') await eyes.del(key);
    if (damage === 'hash') await eyes.hset(key, 'state', 'sent');
    now += 3_600_000;
    const byList = [() => ledger.list({}), () => ledger.stats({ tool: 'charge' }), () => ledger.sweep(10)];
    const byName = [
      () => ledger.find(operationId),
      () => ledger.claim(requestOf('a 0')),
      () => ledger.renewAll([lease]),
    ];
    for (const step of damage === 'gone' ? byList : [...byList, ...byName]) {
      await expect(step(), `${damage}: ${step}`).rejects.toMatchObject({ ...corrupt, operationId });
    }
    await ledger.close();
  }
});

it('a damaged record holds up neither sweep nor purge, and is told once a minute where nothing else is to be told', async () => {
  open();
  const corrupt = { code: 'LEDGER_CORRUPT', operationId: requestOf('a 0').operationId };
  const key = `{${prefix}}:op:${corrupt.operationId}`;
  for (const name of ['a 0', 'b 0']) await ledger.claim(requestOf(name));
  const whole = (await eyes.getBuffer(key)) ?? '';
  await eyes.set(key, 'not a record');
  now += 3_600_000;
  expect(await ledger.sweep(10)).toMatchObject([{ record: { operationId: requestOf('b 0').operationId } }]);
  expect(await ledger.sweep(10)).toEqual([]);
  now += 60_000;
  await expect(ledger.sweep(10)).rejects.toMatchObject(corrupt);
  expect(await ledger.sweep(10)).toEqual([]);
  await eyes.set(key, whole);
  now += 60_000;
  expect(await ledger.sweep(10)).toMatchObject([{ record: { operationId: corrupt.operationId } }]);

  for (const name of ['a 0', 'b 0']) {
    await ledger.resolve(requestOf(name).operationId, {
      outcome: { state: 'completed', result: '{}' },
      ...{ by: 'operator', reason: 'looked' },
    });
  }
  await eyes.set(key, 'not a record');
  now += 2 * 3_600_000;
  expect(await ledger.purge(now, 10)).toBe(1);
  now += 60_000;
  await expect(ledger.purge(now, 10)).rejects.toMatchObject(corrupt);
  expect(await ledger.purge(now, 10)).toBe(0);
});

it('long results that are gone are told, and nothing else is held up by them', async () => {
  open();
  const claim = await ledger.claim(requestOf('long'));
  if (claim.kind !== 'claimed') throw new Error(claim.kind);
  await ledger.settle(claim.lease, { state: 'completed', result: JSON.stringify('y'.repeat(3_000)) });
  const { operationId } = requestOf('long');
  await eyes.del(`{${prefix}}:result:${operationId}`);
  await expect(ledger.claim(requestOf('long'))).rejects.toMatchObject({ code: 'LEDGER_CORRUPT', operationId });
  expect(await ledger.stats({ tool: 'charge' })).toMatchObject({ total: 1 });
  expect(await ledger.claim(requestOf('next'))).toMatchObject({ kind: 'claimed' });
});
