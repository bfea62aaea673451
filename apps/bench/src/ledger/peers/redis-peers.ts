// Libraries that keep idempotency records in Redis, each through the client that it is made for.
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { CachePersistenceLayer } from '@aws-lambda-powertools/idempotency/cache';
import { Idempotency } from '@node-idempotency/core';
import { RedisStorageAdapter } from '@node-idempotency/storage-adapter-redis';
import type { Context } from 'aws-lambda';
import { createClient } from 'redis';
import type { Subject } from '../subject.ts';
import { oneByOne, RESULT, tool } from '../subject.ts';

/** AWS Powertools for Lambda. */
export async function openPowertools(port: number): Promise<Subject> {
  const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
  const config = new IdempotencyConfig({ expiresAfterSeconds: 3_600 });
  config.registerLambdaContext({ getRemainingTimeInMillis: () => 30_000 } as Context); // it warns at each call without
  const charge = makeIdempotent((_order: { readonly id: number }) => tool(), {
    persistenceStore: new CachePersistenceLayer({ client: client as never }),
    config,
    dataIndexArgument: 0,
  });
  return oneByOne(
    (id) => charge({ id }),
    async () => client.destroy(),
  );
}

/** node-idempotency. */
export async function openNodeIdempotency(port: number): Promise<Subject> {
  const storage = new RedisStorageAdapter({ url: `redis://127.0.0.1:${port}` });
  await storage.connect();
  const idempotency = new Idempotency(storage, { cacheTTLMS: 3_600_000 });
  return oneByOne(
    async (n) => {
      const request = { headers: { 'idempotency-key': `order:${n}` }, path: '/charge', method: 'POST', body: { n } };
      const known = await idempotency.onRequest(request);
      if (known !== undefined) throw new Error('a new key was known already');
      await tool();
      await idempotency.onResponse(request, { body: RESULT });
    },
    () => storage.disconnect(),
  );
}
