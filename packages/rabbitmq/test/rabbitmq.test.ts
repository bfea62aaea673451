import { setTimeout as sleep } from 'node:timers/promises';
import type { JobReply } from '@mcp-tx/core/job';
import { startRabbitmq, startTcpProxy } from '@mcp-tx/testing/services';
import { afterAll, expect, it } from 'vitest';
import type { ToolReply } from '../src/index.ts';
import { createToolClient, deadLetterProblem } from '../src/index.ts';
import { urlOf } from './support/broker.ts';
import { sceneOn, until } from './support/scene.ts';

const service = await startRabbitmq();
afterAll(() => service.stop());

const job = { v: 1, tool: 'pay', arguments: { orderId: 'a' }, idempotencyKey: 'k' };

it('a call through the queue gives what the call itself would have given', async () => {
  const script = [{ tool: 'pay', at: 2, fault: 'drop-response' }] as const;
  await using scene = await sceneOn(service, { server: { script }, instance: { timeoutMs: 500 } });
  await scene.worker();
  const client = scene.client();
  const { result, meta } = await client.call('pay', { orderId: 'a' }, { idempotencyKey: 'order:a' });
  expect(result.structured).toMatchObject({ orderId: 'a' });
  expect(meta).toMatchObject({ processed: true, attempts: 1, duplicate: false, guarantee: 'at-most-once' });
  await expect(client.call('pay', { orderId: 'b' })).rejects.toMatchObject({ code: 'IN_DOUBT', execution: 'unknown' });
  await expect(client.call('typed')).rejects.toMatchObject({ code: 'TOOL_NOT_ALLOWED', execution: 'none' });
  expect([scene.paid('a'), scene.paid('b'), scene.arrivals()]).toEqual([1, 1, 2]);
});

it('nobody answers: the wait ends, says what is not known, and nothing is begun after it', async () => {
  await using scene = await sceneOn(service);
  const client = scene.client();
  const waits = client.call('pay', { orderId: 'a' }, { timeoutMs: 300 });
  await expect(waits).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', execution: 'unknown', retryable: true });
  const aborted = client.call('pay', { orderId: 'b' }, { signal: AbortSignal.timeout(50) });
  await expect(aborted).rejects.toMatchObject({ execution: 'unknown', retryable: true });
  await scene.worker();
  await until('it is put aside', async () => (await scene.eyes.ready(scene.dead)) >= 1);
  const [letter] = await scene.eyes.drain(scene.dead);
  expect(letter && deadLetterProblem(letter)).toMatchObject({ code: 'DEADLINE_EXCEEDED', execution: 'none' });
  expect(scene.paid('a')).toBe(0);
});

it('T11: a hundred jobs that failed together come back spread over more than half of the window', async () => {
  const windowMs = 2_000;
  await using scene = await sceneOn(service, { server: { mode: 'refuse' }, instance: { timeoutMs: 50 } });
  const times = new Map<string, number[]>();
  await scene.worker({
    prefetch: 100,
    retryLater: { baseDelayMs: windowMs, maxDelayMs: windowMs },
    onEnd: (end, of) => {
      if (end.kind === 'retryLater' && of)
        times.set(of.idempotencyKey, [...(times.get(of.idempotencyKey) ?? []), performance.now()]);
    },
  });
  const client = scene.client();
  await Promise.all(
    Array.from({ length: 100 }, (_, n) => client.enqueue('pay', { orderId: `${n}` }, { idempotencyKey: `${n}` })),
  );
  await until('all came back', () => times.size === 100 && [...times.values()].every((seen) => seen.length > 1));
  const waits = [...times.values()].map(([first = 0, second = 0]) => second - first);
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(windowMs / 2);
});

it('a server’s word on when to come again is kept, also beyond the longest delay of the queues', async () => {
  const script = [{ tool: 'pay', at: 1, fault: { kind: 'status', status: 429, retryAfter: 1 } }] as const;
  await using scene = await sceneOn(service, { server: { script }, instance: { timeoutMs: 300 } });
  await scene.worker({ retryDelaysMs: [100], retryLater: { baseDelayMs: 1 } });
  const startedAt = performance.now();
  const { meta } = await scene.client().call('pay', { orderId: 'a' });
  expect(performance.now() - startedAt).toBeGreaterThan(950);
  expect(scene.ends.map(({ kind }) => kind)).toEqual(['retryLater', 'acknowledge']);
  expect([meta.attempts, scene.arrivals()]).toEqual([2, 2]);
});

it('a job that comes back does not stand in line again behind all that are new', async () => {
  const script = [{ tool: 'pay', at: 1, fault: { kind: 'status', status: 429, retryAfter: 1 } }] as const;
  await using scene = await sceneOn(service, { server: { script }, instance: { timeoutMs: 300 } });
  const client = scene.client();
  await client.enqueue('pay', { orderId: 'a' }, { idempotencyKey: 'early' });
  await Promise.all(Array.from({ length: 200 }, () => client.enqueue('slow', { ms: 15 })));
  const done: (string | undefined)[] = [];
  await scene.worker({
    ...{ prefetch: 1, retryDelaysMs: [100, 1_000], retryLater: { baseDelayMs: 1 } },
    onEnd: ({ kind }, of) => void (kind === 'acknowledge' && done.push(of?.idempotencyKey)),
  });
  await until('it is done', () => done.includes('early'));
  expect(done.indexOf('early')).toBeGreaterThan(10);
  expect(done.length).toBeLessThan(150);
});

it('T21: connections closed in the middle of calls cost no job and double none; repeated replies are equal', async () => {
  await using scene = await sceneOn(service);
  await scene.worker({ prefetch: 20 });
  const client = scene.client();
  const replies = new Map<string, Set<string>>();
  const hear = (reply: ToolReply): void => {
    const said = JSON.stringify(reply.ok ? reply.result : reply.error.code);
    replies.set(reply.correlationId, (replies.get(reply.correlationId) ?? new Set()).add(said));
  };
  const stop = await client.readReplies(hear);
  const orders = Array.from({ length: 20 }, (_, n) => `order-${n}`);
  const put = (orderId: string) => client.enqueue('slow', { ms: 1_500, orderId }, { reply: true });
  const queued = await Promise.all(orders.map(put));
  await until('all are under way', () => scene.arrivals() === 20);
  await service.control('close_all_connections', 'T21');
  await until('all have a reply', () => replies.size === 20);
  await stop();
  for (const { correlationId } of queued) expect(replies.get(correlationId)?.size).toBe(1);
  for (const orderId of orders) expect(scene.paid(orderId)).toBe(1);
});

it('T24: a deleted queue of replies is declared again; a reply that nobody can get is a reason, and no loss', async () => {
  await using scene = await sceneOn(service);
  await scene.worker();
  const client = scene.client();
  await client.initialize();
  await (await scene.eyes.channel()).deleteQueue(scene.where.responses);
  await client.enqueue('pay', { orderId: 'a' }, { reply: true });
  await until('the reply', async () => (await scene.eyes.ready(scene.where.responses)) === 1);
  const replyTo = 'a-queue-that-nobody-has';
  await scene.eyes.put(scene.where.requests, JSON.stringify(job), { replyTo, correlationId: 'c' });
  await until('it is put aside', async () => (await scene.eyes.ready(scene.dead)) === 1);
  const [letter] = await scene.eyes.drain(scene.dead);
  expect(letter && deadLetterProblem(letter)).toMatchObject({ reason: 'reply-unroutable', execution: 'done' });
  expect([letter?.content.toString(), letter?.properties.correlationId]).toEqual([JSON.stringify(job), 'c']);
  const again = await client.call('pay', { orderId: 'a' }, { idempotencyKey: 'k' });
  expect([again.meta.duplicate, scene.arrivals()]).toEqual([true, 2]);
});

it.each(['exclusive', 'shared'] as const)(
  'T26: two clients with %s replies get their own and only these',
  async (replies) => {
    await using scene = await sceneOn(service);
    await scene.worker({ prefetch: 20 });
    const clients = [scene.client({ replies }), scene.client({ replies })];
    const calls = clients.flatMap((client, who) =>
      Array.from({ length: 40 }, async (_, n) => {
        const orderId = `${who}-${n}`;
        const { result } = await client.call('pay', { orderId }, { timeoutMs: 8_000 });
        expect(result.structured).toMatchObject({ orderId });
      }),
    );
    await Promise.all(calls);
    expect(scene.faulty.effects()).toHaveLength(80);
    if (replies === 'shared')
      await until('none is left', async () => (await scene.eyes.ready(scene.where.responses)) === 0);
  },
);

it('T44, T46: one key from two callers at once, and again when it is long done, is one effect', async () => {
  await using scene = await sceneOn(service);
  await scene.worker();
  const clients = [scene.client(), scene.client()];
  const call = (n: number) => clients[n % 2]?.call('pay', { orderId: 'a' }, { idempotencyKey: 'order:a' });
  const both = await Promise.all([call(0), call(1)]);
  expect(both.map((one) => one?.meta.duplicate).sort()).toEqual([false, true]);
  expect(both[0]?.result).toEqual(both[1]?.result);
  expect((await call(0))?.meta).toMatchObject({ duplicate: true });
  expect(scene.paid('a')).toBe(1);
});

it('T47: while the broker is away a producer is told at once, and nothing waits in memory', async () => {
  await using scene = await sceneOn(service);
  await using proxy = await startTcpProxy(service.port);
  const client = scene.client({ url: urlOf(proxy) });
  await client.enqueue('pay', { orderId: 'a' });
  await proxy.close();
  await sleep(50);
  const startedAt = performance.now();
  const away = { code: 'QUEUE_UNAVAILABLE', execution: 'none', retryable: true };
  await expect(client.enqueue('pay', { orderId: 'b' })).rejects.toMatchObject(away);
  await expect(client.call('pay', { orderId: 'c' })).rejects.toMatchObject(away);
  expect(performance.now() - startedAt).toBeLessThan(100);
  expect(await scene.eyes.ready(scene.where.requests)).toBe(1);
});

it('a client that loses its connection while it waits asks again under the same key', async () => {
  await using scene = await sceneOn(service);
  await using proxy = await startTcpProxy(service.port);
  await scene.worker();
  const waits = scene.client({ url: urlOf(proxy) }).call('slow', { ms: 700, orderId: 'a' });
  await until('the call', () => scene.arrivals() === 1);
  proxy.cut();
  expect((await waits).meta.attempts).toBe(1);
  expect([scene.paid('a'), scene.arrivals()]).toEqual([1, 1]);
});

it('a reply whose handler fails comes again', async () => {
  await using scene = await sceneOn(service);
  await scene.worker();
  const client = scene.client();
  let tries = 0;
  const stop = await client.readReplies(() => {
    tries += 1;
    if (tries < 3) throw new Error('not now');
  });
  await client.enqueue('pay', { orderId: 'a' }, { reply: true });
  await until('three tries', () => tries === 3);
  await stop();
  expect(await scene.eyes.ready(scene.where.responses)).toBe(0);
});

it('T23: what nobody can read is put aside once, as it came, with its reason in its headers; jobs flow on', async () => {
  await using scene = await sceneOn(service);
  await scene.worker({ prefetch: 1 });
  const { requests } = scene.where;
  await scene.eyes.put(requests, Buffer.from([0xff, 0x00]), { messageId: 'poison', headers: { tenant: 'a' } });
  await scene.eyes.put(requests, JSON.stringify({ ...job, idempotencyKey: undefined }), {}); // no name at all
  await scene.eyes.put(requests, '[]', { headers: { big: 'x'.repeat(65_000) } });
  const headers = { 'x-mcp-tx-returns': 'many', 'x-mcp-tx-not-before': { a: 1 } };
  await scene.eyes.put(requests, JSON.stringify(job), { headers });
  await until('the job between them', () => scene.paid('a') === 1);
  await until('three are put aside', async () => (await scene.eyes.ready(scene.dead)) === 3);
  const letters = await scene.eyes.drain(scene.dead);
  expect(letters.map((one) => one.properties.headers?.['x-mcp-tx-reason'])).toEqual([
    'CALL_INVALID',
    'KEY_INVALID',
    'CALL_INVALID',
  ]);
  expect(letters[0]?.content).toEqual(Buffer.from([0xff, 0x00]));
  expect(letters[0]?.properties).toMatchObject({ messageId: 'poison', headers: { tenant: 'a' } });
  expect(scene.arrivals()).toBe(1);
});

it('a job that ends its workers is put aside by the broker when it has come back too often', async () => {
  await using scene = await sceneOn(service, { queues: { deliveryLimit: 2 } });
  const client = scene.client();
  await client.enqueue('pay', { orderId: 'a' });
  const channel = await scene.eyes.channel();
  for (let n = 0; n < 3; n += 1) {
    const message = await channel.get(scene.where.requests);
    if (message !== false) channel.nack(message, false, true);
    await sleep(50);
  }
  await until('it is put aside', async () => (await scene.eyes.ready(scene.dead)) === 1);
  const [letter] = await scene.eyes.drain(scene.dead);
  expect(letter && deadLetterProblem(letter)).toMatchObject({ reason: 'delivery-limit', execution: 'unknown' });
});

it('queues with other arguments, missing queues and refused logins are configurations that do not work', async () => {
  await using scene = await sceneOn(service);
  const refused = (says: RegExp) => ({ code: 'CONFIG_INVALID', message: expect.stringMatching(says) });
  await (await scene.eyes.channel()).assertQueue(scene.where.requests, { durable: true });
  await expect(scene.worker()).rejects.toMatchObject(refused(/other arguments.*inequivalent arg/));
  await expect(scene.client().enqueue('pay')).rejects.toMatchObject(refused(/other arguments/));
  const absent = { requests: 'absent', declare: false };
  await expect(scene.client(absent).initialize()).rejects.toMatchObject(refused(/no queue 'absent/));
  const url = service.url.replace('guest:guest', 'guest:wrong');
  await expect(scene.client({ url }).initialize()).rejects.toMatchObject(refused(/login/));
  const nobody = scene.client({ url: 'amqp://127.0.0.1:1', confirmTimeoutMs: 200 });
  await expect(nobody.initialize()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
});

it.each([
  ['url', { url: 'http://127.0.0.1' }],
  ['no url', { url: undefined }],
  ['one name for two queues', { requests: 'a', responses: 'a' }],
  ['a name of the broker’s', { requests: 'amq.gen' }],
  ['a long name', { requests: 'x'.repeat(300) }],
  ['a limit', { deliveryLimit: 0 }],
  ['a format', { format: 'xml' }],
  ['a kind of queue', { queueType: 'stream' }],
])('a wrong option is refused: %s', (_what, options) => {
  expect(() => createToolClient({ url: service.url, ...options } as never)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
});

it('replies of the queue are as the ledger has them', async () => {
  await using scene = await sceneOn(service);
  await scene.worker();
  await scene.client().enqueue('pay', { orderId: 'a' }, { reply: true });
  await until('the reply', async () => (await scene.eyes.ready(scene.where.responses)) === 1);
  const [message] = await scene.eyes.drain(scene.where.responses);
  const reply = JSON.parse(String(message?.content)) as JobReply & { readonly ok: true };
  const record = await scene.tx.getOperation(reply.meta.operationId);
  expect(record?.outcome).toMatchObject({ state: 'completed', result: JSON.stringify(reply.result) });
  expect(message?.properties).toMatchObject({ deliveryMode: 2, expiration: '86400000' });
});
