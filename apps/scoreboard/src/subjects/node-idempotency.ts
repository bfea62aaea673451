// node-idempotency: the two calls that its middlewares make around a handler, records in Redis, waiting for who is in progress.
import type { Subject } from '../subject.ts';

export const nodeIdempotency: Subject = {
  label: '@node-idempotency 1.0.11',
  store: 'redis',
  promises: 'one run per key until its time to live ends, also when the holder is dead',
  isOurs: false,
  mayRepeat: false,
  async open({ port }, effect) {
    const { Idempotency } = await import('@node-idempotency/core');
    const { RedisStorageAdapter } = await import('@node-idempotency/storage-adapter-redis');
    const storage = new RedisStorageAdapter({ url: `redis://127.0.0.1:${port}` });
    await storage.connect();
    const inProgressStrategy = { wait: true, pollingIntervalMs: 25, maxWaitMs: 3_000 };
    const idempotency = new Idempotency(storage, { cacheTTLMS: 3_600_000, inProgressStrategy });
    return {
      async call(key) {
        const request = { headers: { 'idempotency-key': key }, path: '/pay', method: 'POST', body: { key } };
        const known = await idempotency.onRequest<string, unknown>(request);
        if (known !== undefined) return { kind: 'result', receipt: String(known.body) };
        const body = await effect(key);
        await idempotency.onResponse(request, { body });
        return { kind: 'result', receipt: body };
      },
      close: () => storage.disconnect(),
    };
  },
};
