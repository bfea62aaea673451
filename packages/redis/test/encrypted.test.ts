// An encrypted ledger on Redis: what the keys hold is looked at by a client of the test.
import { randomBytes } from 'node:crypto';
import type { Outcome } from '@mcp-tx/core/ledger';
import { encryptedLedger } from '@mcp-tx/core/ledger';
import { startRedis } from '@mcp-tx/testing/services';
import { expect, it } from 'vitest';
import { redisLedger } from '../src/index.ts';
import { eyesOn, keptOf, newPrefix, urlOf } from './support/redis-fixture.ts';
import { requestOf } from './support/requests.ts';

const CANARY = 'sk-canary-4711';
const DONE: Outcome = { state: 'completed', result: JSON.stringify({ text: `${CANARY} \0 \u{1F4B6}` }) };

it('neither arguments nor results stand in any key, and both are read back', async () => {
  const service = await startRedis();
  const [prefix, eyes] = [newPrefix(), eyesOn(service)];
  const keys = [{ id: 'k1', key: randomBytes(32) }];
  const ledger = encryptedLedger(redisLedger({ url: urlOf(service), prefix }), { keys });
  const stored = { arguments: JSON.stringify({ card: CANARY }) };
  const claim = await ledger.claim(requestOf('a', stored));
  if (claim.kind !== 'claimed') throw new Error(claim.kind);
  expect([await ledger.settle(claim.lease, DONE), await ledger.settle(claim.lease, DONE)]).toEqual([true, true]);
  expect(await ledger.claim(requestOf('a'))).toMatchObject({ kind: 'replay', record: { outcome: DONE, ...stored } });
  expect((await ledger.list({})).records).toMatchObject([{ outcome: DONE, ...stored }]);
  const row = JSON.stringify(await keptOf(eyes, prefix, requestOf('a').operationId));
  expect(row.split('mcp-tx-sealed-1.k1.')).toHaveLength(3);
  for (const key of await eyes.keys('*')) {
    const type = await eyes.type(key);
    const value = type === 'hash' ? eyes.hgetall(key) : type === 'string' ? eyes.get(key) : eyes.dump(key);
    expect(JSON.stringify(await value)).not.toContain(CANARY);
  }
  await ledger.close();
  eyes.disconnect();
  await service.stop();
}, 30_000);
