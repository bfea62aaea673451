// What BullMQ's producer and worker do beyond the contract. T numbers are rows of the adapters' list of statements.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '@mcp-tx/testing/services';
import { startRedis } from '@mcp-tx/testing/services';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createToolQueue, jobIdOf } from '../src/index.ts';
import { sceneOn, until } from './support/worker-over.ts';

vi.setConfig({ testTimeout: 30_000 });

let redis: Service;
beforeAll(async () => {
  redis = await startRedis();
}, 60_000);
afterAll(() => redis.stop());

describe('one key', () => {
  it('put there twice at once is one job and one effect, and one of the two is told (T46)', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    const put = () => queue.enqueue('pay', { orderId: 'a' }, { idempotencyKey: 'order:a' });
    const puts = await Promise.all([put(), put()]);
    expect(puts.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
    expect(puts[0]?.jobId).toBe(puts[1]?.jobId);
    expect(await queue.queue.getWaitingCount()).toBe(1);
    await scene.openWorker();
    await queue.result(String(puts[0]?.jobId));
    expect(await put()).toMatchObject({ duplicate: true });
    expect(scene.paid('a')).toBe(1);
  });

  it('whose job is gone is a replay from the ledger (T44)', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    await scene.openWorker();
    const put = () => queue.enqueue('pay', { orderId: 'a' }, { idempotencyKey: 'order:a' });
    const { jobId } = await put();
    const first = await queue.result(jobId);
    await (await queue.queue.getJob(jobId))?.remove();
    expect(await put()).toMatchObject({ duplicate: false });
    const second = await queue.result(jobId);
    expect(second.result).toEqual(first.result);
    expect([first.meta.duplicate, second.meta.duplicate, scene.paid('a')]).toEqual([false, true, 1]);
  });

  it('of a dead letter of which nothing ran may be asked anew', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    await scene.openWorker();
    const put = (deadlineAt?: number) =>
      queue.enqueue('pay', { orderId: 'a' }, { idempotencyKey: 'order:a', ...(deadlineAt ? { deadlineAt } : {}) });
    const { jobId } = await put(1);
    await expect(queue.result(jobId)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', execution: 'none' });
    expect(await put()).toMatchObject({ jobId, duplicate: false });
    expect((await queue.result(jobId)).meta.attempts).toBe(1);
  });

  it('makes an id that BullMQ takes, whatever the key; scopes are apart', () => {
    const keys = ['a:b', '42', '0', 'k'.repeat(255), 'é'];
    const ids = keys.flatMap((key) => [jobIdOf(undefined, key), jobIdOf('alice', key)]);
    expect(new Set(ids).size).toBe(10);
    for (const id of ids) expect(id).toMatch(/^tx-[\w-]{43}$/);
    expect(jobIdOf('a', 'bc')).not.toBe(jobIdOf('ab', 'c'));
  });
});

describe('attempts', () => {
  it('are the engine’s: five sends and no more, though BullMQ would run the job five times (T9)', async () => {
    const script = [{ tool: 'read_balance', at: 'all', fault: { kind: 'status', status: 500 } }] as const;
    const retry = { maxAttempts: 5, baseDelayMs: 5, maxDelayMs: 10 };
    await using scene = await sceneOn(redis, { script }, { retry, tools: { read_balance: { readOnly: true } } });
    const queue = scene.openQueue();
    await scene.openWorker();
    const { jobId } = await queue.enqueue('read_balance', {}, { job: { attempts: 3 } });
    await expect(queue.result(jobId)).rejects.toMatchObject({ execution: 'unknown' });
    await sleep(200);
    expect(scene.server.faults().arrivals).toHaveLength(5);
    expect(await queue.queue.getJobCounts('failed', 'waiting', 'delayed')).toEqual({
      failed: 1,
      waiting: 0,
      delayed: 0,
    });
  });

  it('are not spent on what is wrong: refused arguments fail the job at its first run, and nothing is sent (T10)', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    await scene.openWorker();
    const { jobId } = await queue.enqueue('pay', { orderId: 7 });
    await expect(queue.result(jobId)).rejects.toMatchObject({ code: 'ARGUMENTS_INVALID', execution: 'none' });
    const job = await queue.queue.getJob(jobId);
    expect([job?.attemptsMade, job?.attemptsStarted, scene.server.faults().arrivals.length]).toEqual([1, 1, 0]);
  });

  it('a hundred jobs that met one outage come again spread over the window, and BullMQ counts none of it (T11)', async () => {
    await using scene = await sceneOn(redis, { mode: 'refuse' }, { retry: { maxAttempts: 1 }, breaker: false });
    const queue = scene.openQueue();
    const calls = Array.from({ length: 100 }, (_, n) => ({ tool: 'pay', args: { orderId: `order-${n}` } }));
    await queue.enqueueMany(calls);
    const { close } = await scene.openWorker({
      concurrency: 50,
      retryLater: { baseDelayMs: 2_000_000, maxDelayMs: 2_000_000 }, // so long that hardly one of them comes again meanwhile
    });
    await until('all are delayed', async () => (await queue.queue.getDelayedCount()) === 100);
    await close();
    const jobs = await queue.queue.getDelayed();
    expect(new Set(jobs.map(({ attemptsMade }) => attemptsMade))).toEqual(new Set([0]));
    const delays = jobs.map(({ delay }) => delay);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(1_000_000);
  });
});

describe('when Redis is away', () => {
  it('a producer says so within 100 ms, and works again when it is back (T47)', async () => {
    await using own = await startRedis();
    await using scene = await sceneOn(own);
    const queue = scene.openQueue();
    await queue.enqueue('pay', { orderId: 'a' });
    await own.kill();
    await until('it is noticed', async () => {
      const startedAt = performance.now();
      const error = await queue.enqueue('pay', { orderId: 'b' }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'QUEUE_UNAVAILABLE', retryable: true });
      return performance.now() - startedAt < 100 && (error as { execution: string }).execution === 'none';
    });
    await own.restart();
    await until('it is back', () =>
      queue.enqueue('pay', { orderId: 'c' }).then(
        () => true,
        () => false,
      ),
    );
  });

  it('and comes back while jobs are put there, each is confirmed or refused in time; put again, each runs once (T22)', async () => {
    await using own = await startRedis();
    await using scene = await sceneOn(own);
    const queue = scene.openQueue({ timeoutMs: 1_000 });
    const orders = Array.from({ length: 40 }, (_, n) => `order-${n}`);
    const put = (orderId: string) => queue.enqueue('pay', { orderId }, { idempotencyKey: orderId });
    const longest = { ms: 0 };
    const tryPut = async (orderId: string): Promise<boolean> => {
      const startedAt = performance.now();
      const isPut = await put(orderId).then(
        () => true,
        (error: { code: string }) => {
          expect(error.code).toBe('QUEUE_UNAVAILABLE');
          return false;
        },
      );
      longest.ms = Math.max(longest.ms, performance.now() - startedAt);
      return isPut;
    };
    await put('order-0');
    const breaking = own.kill().then(() => own.restart());
    const isPut: boolean[] = [];
    for (const order of orders) {
      isPut.push(await tryPut(order));
      await sleep(10);
    }
    await breaking;
    expect(isPut).toContain(false); // an outage that nobody meets proves nothing
    expect(longest.ms).toBeLessThan(1_500);
    for (const order of orders) await until(order, () => tryPut(order));
    await scene.openWorker();
    for (const order of orders) await queue.result(jobIdOf(undefined, order));
    expect(orders.map(scene.paid)).toEqual(orders.map(() => 1));
  });

  it('one that never was there is not waited for longer than timeoutMs', async () => {
    await using queue = createToolQueue({
      name: 'nowhere',
      connection: { host: '127.0.0.1', port: 1 },
      timeoutMs: 200,
    });
    const startedAt = performance.now();
    await expect(queue.enqueue('pay')).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('a client of the user’s own is used as it is, and left open', async () => {
    await using scene = await sceneOn(redis);
    const connection = new Redis({ ...scene.connection, maxRetriesPerRequest: null });
    const queue = scene.openQueue({ connection });
    const worker = await scene.openWorker({ connection });
    const { jobId } = await queue.enqueue('pay', { orderId: 'a' });
    await queue.result(jobId);
    await worker.close();
    await queue.close();
    expect(await connection.ping()).toBe('PONG');
    connection.disconnect();
  });
});

describe('a worker', () => {
  it('that closes over a hung tool takes about its grace; the job waits, and none of its attempts is spent (T48)', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    const worker = await scene.openWorker({ graceMs: 300 });
    const { jobId } = await queue.enqueue('slow', { ms: 4_000, orderId: 'a' });
    await until('the call', () => scene.server.faults().arrivals.length === 1);
    const startedAt = performance.now();
    await Promise.all([worker.close(), worker.close()]);
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThanOrEqual(290);
    expect(tookMs).toBeLessThan(1_500);
    const job = await queue.queue.getJob(jobId);
    expect([await job?.getState(), job?.attemptsMade]).toEqual(['waiting', 0]);
  });

  it('whose connection was just cut closes as soon as it is back, and one whose Redis is gone closes all the same', async () => {
    await using own = await startRedis();
    await using scene = await sceneOn(own);
    const cut = await scene.openWorker({ graceMs: 10_000 });
    const gone = await scene.openWorker({ graceMs: 500 });
    const eyes = new Redis(scene.connection);
    await eyes.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    eyes.disconnect();
    const time = async (close: () => Promise<void>): Promise<number> => {
      const startedAt = performance.now();
      await close();
      return performance.now() - startedAt;
    };
    expect(await time(() => cut.close())).toBeLessThan(3_000);
    await own.kill();
    await sleep(100);
    expect(await time(() => gone.close())).toBeLessThan(4_000);
    await own.restart();
  });

  it('whose lock is lost lets go of the call at once and writes nothing; the job runs on elsewhere, once (T49)', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    const kinds: string[] = [];
    await scene.openWorker({
      lockDurationMs: 600,
      onEnd: (_job, { kind }) => void kinds.push(kind),
      worker: { stalledInterval: 300 },
    });
    const { jobId } = await queue.enqueue('slow', { ms: 1_500, orderId: 'a' });
    await until('the call', () => scene.server.faults().arrivals.length === 1);
    const eyes = new Redis(scene.connection);
    await eyes.del(`bull:${scene.name}:${jobId}:lock`);
    await until('it lets go', () => kinds.length === 1);
    expect([kinds, scene.paid('a')]).toEqual([['retryLater'], 0]);
    expect((await queue.result(jobId)).meta.attempts).toBe(1);
    expect([scene.paid('a'), scene.server.faults().arrivals.length]).toEqual([1, 1]);
    eyes.disconnect();
  });

  it('of which one job is cancelled puts that one back, and its next run finds the one result', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    const { worker } = await scene.openWorker();
    const { jobId } = await queue.enqueue('slow', { ms: 600, orderId: 'a' });
    const other = await queue.enqueue('slow', { ms: 600, orderId: 'b' });
    await until('both calls', () => scene.server.faults().arrivals.length === 2);
    expect([worker.cancelJob(jobId, 'by hand'), worker.cancelJob('absent')]).toEqual([true, false]);
    const back = () => queue.queue.getJob(jobId).then((job) => (job?.attemptsStarted ?? 0) > 1);
    await until('it runs again', back);
    for (const one of [jobId, other.jobId]) expect((await queue.result(one)).result.content).toBeDefined();
    expect([scene.paid('a'), scene.paid('b')]).toEqual([1, 1]);
    expect(await queue.queue.getJob(other.jobId)).toMatchObject({ attemptsStarted: 1 });
  });

  it('whose connections are all cut in mid-call loses nothing and runs nothing twice (T21)', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    await scene.openWorker({ lockDurationMs: 1_000 });
    const { jobId } = await queue.enqueue('slow', { ms: 500, orderId: 'a' });
    await until('the call', () => scene.server.faults().arrivals.length === 1);
    const eyes = new Redis(scene.connection);
    expect(Number(await eyes.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))).toBeGreaterThan(2);
    await queue.result(jobId);
    expect(scene.paid('a')).toBe(1);
    eyes.disconnect();
  });

  it('tells progress of a tool as progress of its job', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    await scene.openWorker({ progress: true });
    const { jobId } = await queue.enqueue('progress', { steps: 3, everyMs: 100 });
    await until('progress', async () => {
      const { progress } = (await queue.queue.getJob(jobId)) ?? {};
      return typeof progress === 'object' && 'total' in progress && progress.total === 3;
    });
    await queue.result(jobId);
  });
});

describe('a schedule', () => {
  it('makes an operation of each tick, until it is ended', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    await scene.openWorker();
    await queue.schedule('every-now-and-then', { every: 150 }, 'append', { line: 'tick' });
    await until('three ticks', () => scene.server.effects().length >= 3);
    expect(await queue.unschedule('every-now-and-then')).toBe(true);
    expect(await queue.unschedule('every-now-and-then')).toBe(false);
    const keys = (await scene.tx.listOperations()).records.map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('waiting', () => {
  it('ends in time, by the caller’s signal, and for a job that is not there', async () => {
    await using scene = await sceneOn(redis);
    const queue = scene.openQueue();
    const { jobId } = await queue.enqueue('pay', { orderId: 'a' });
    const late = { code: 'DEADLINE_EXCEEDED', execution: 'unknown', retryable: true };
    await expect(queue.result(jobId, { timeoutMs: 50 })).rejects.toMatchObject(late);
    const signal = AbortSignal.timeout(50);
    await expect(queue.result(jobId, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(queue.result('tx-nothing')).rejects.toMatchObject({ code: 'OPERATION_NOT_FOUND' });
  });
});
