// AWS Powertools for Lambda: a function wrapped by `makeIdempotent`, its records in Redis.
import type { Effect, OpenSubject, StoreAddress, Subject } from '../subject.ts';

const SHARED = { store: 'redis', isOurs: false, mayRepeat: true } as const;

/** As in Lambda: it knows how long the function may take. */
export const powertools: Subject = {
  ...SHARED,
  label: 'Powertools 2.35.0, in Lambda',
  promises: 'refuses repeats while one is in progress, until the time that Lambda has left runs out',
  open: (address, effect, leaseMs) => open(address, effect, leaseMs),
};

/** As anywhere else, where nobody registers Lambda's context. */
export const powertoolsOutside: Subject = {
  ...SHARED,
  label: 'Powertools 2.35.0, no Lambda context',
  promises: 'warns that it cannot protect what is in progress',
  open: (address, effect) => open(address, effect),
};

async function open({ port }: StoreAddress, effect: Effect, leaseMs?: number): Promise<OpenSubject> {
  const { IdempotencyConfig, makeIdempotent } = await import('@aws-lambda-powertools/idempotency');
  const { CachePersistenceLayer } = await import('@aws-lambda-powertools/idempotency/cache');
  const { createClient } = await import('@redis/client');
  const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
  const config = new IdempotencyConfig({ expiresAfterSeconds: 3_600 });
  if (leaseMs !== undefined) config.registerLambdaContext({ getRemainingTimeInMillis: () => leaseMs } as never);
  const persistenceStore = new CachePersistenceLayer({ client: client as never });
  const work = async ({ key }: { readonly key: string }) => ({ receipt: await effect(key) });
  const pay = makeIdempotent(work, { persistenceStore, config });
  return {
    call: async (key) => ({ kind: 'result', receipt: (await pay({ key })).receipt }),
    close: async () => client.destroy(),
  };
}
