import type { Service } from '@mcp-tx/testing/services';
import { startRedis } from '@mcp-tx/testing/services';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { fromPrev } from '../src/index.ts';
import { sceneOn } from './support/worker-over.ts';

vi.setConfig({ testTimeout: 30_000 });

let redis: Service;
beforeAll(async () => {
  redis = await startRedis();
}, 60_000);
afterAll(() => redis.stop());

// `pay` answers with its order and a receipt; the next step takes the receipt as its order.
const STEPS = [
  { tool: 'pay', args: { orderId: 'a', amount: 7 } },
  { tool: 'pay', args: { orderId: fromPrev('/receipt'), amount: fromPrev('/amount') } },
];

it('a step gets what it needs from the result of the one before, and attempts are summed over all steps', async () => {
  const script = [{ tool: 'pay', at: 1, fault: { kind: 'status', status: 429, retryAfter: 0 } }] as const;
  await using scene = await sceneOn(redis, { script }, { retry: { baseDelayMs: 10, maxDelayMs: 20 } });
  const queue = scene.openQueue();
  await scene.openWorker();
  const { jobId } = await queue.chain(STEPS, { idempotencyKey: 'order:a' });
  const { result, meta, totalAttempts } = await queue.result(jobId);
  const [first, second] = scene.server.effects();
  expect(second?.args).toEqual({ orderId: first?.receipt, amount: 7 });
  expect(result.structured).toMatchObject({ orderId: first?.receipt });
  expect([meta.attempts, totalAttempts, scene.server.effects().length]).toEqual([1, 3, 2]);
});

it('a chain whose key is put there twice at once, and again later, runs once', async () => {
  await using scene = await sceneOn(redis);
  const queue = scene.openQueue();
  const put = () => queue.chain(STEPS, { idempotencyKey: 'order:a' });
  const puts = await Promise.all([put(), put()]);
  expect(puts.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
  await scene.openWorker();
  await queue.result(String(puts[0]?.jobId));
  expect(await put()).toMatchObject({ duplicate: true, idempotencyKey: 'order:a' });
  expect(scene.server.effects()).toHaveLength(2);
  await expect(queue.chain([...STEPS].reverse(), { idempotencyKey: 'order:a' })).rejects.toMatchObject({
    code: 'KEY_CONFLICT',
  });
});

it('a step that is in doubt puts the later ones aside with its reason, and they send nothing', async () => {
  const script = [{ tool: 'pay', at: 1, fault: 'drop-response' }] as const;
  await using scene = await sceneOn(redis, { script }, { timeoutMs: 300 });
  const queue = scene.openQueue();
  await scene.openWorker();
  const { jobId } = await queue.chain([...STEPS, { tool: 'pay', args: { orderId: fromPrev('/receipt') } }]);
  await expect(queue.result(jobId)).rejects.toMatchObject({ code: 'IN_DOUBT', execution: 'unknown' });
  expect([await queue.queue.getFailedCount(), scene.server.faults().arrivals.length]).toEqual([3, 1]);
});

it.each([
  ['said isError', [{ kind: 'is-error' } as const], { orderId: fromPrev('/receipt') }, 'previous-step-failed'],
  ['has nothing there', [], { orderId: fromPrev('/path') }, 'previous-step-lacks'],
])('a step after one that %s does not run', async (_what, faults, args, reason) => {
  await using scene = await sceneOn(redis, { script: faults.map((fault) => ({ tool: 'pay', at: 1, fault })) });
  const queue = scene.openQueue();
  await scene.openWorker();
  const { jobId } = await queue.chain([STEPS[0] as (typeof STEPS)[0], { tool: 'pay', args }]);
  await expect(queue.result(jobId)).rejects.toMatchObject({ code: 'CALL_INVALID', execution: 'none', reason });
  expect(scene.server.faults().arrivals).toHaveLength(1);
});

it('what is no chain is refused where it is made', async () => {
  await using scene = await sceneOn(redis);
  const queue = scene.openQueue();
  await expect(queue.chain([])).rejects.toMatchObject({ code: 'CALL_INVALID' });
  await expect(queue.chain(STEPS, { delayMs: 5 })).rejects.toMatchObject({ code: 'CALL_INVALID' });
  await expect(queue.chain(STEPS, { idempotencyKey: 'k'.repeat(255) })).rejects.toMatchObject({ code: 'KEY_INVALID' });
  expect(() => fromPrev('path')).toThrow(expect.objectContaining({ code: 'CALL_INVALID' }));
  expect(() => fromPrev('/a~2')).toThrow(expect.objectContaining({ code: 'CALL_INVALID' }));
});

it('a pointer reads members, items and the whole, and only what is there', async () => {
  await using scene = await sceneOn(redis);
  const queue = scene.openQueue();
  await scene.openWorker();
  const run = async (pointer: string) => {
    const { jobId } = await queue.chain([
      { tool: 'pay', args: { orderId: 'a', 'x/y': [{ z: 1 }, null] } },
      { tool: 'append', args: { line: 'l', got: { deep: [fromPrev(pointer)] } } },
    ]);
    return queue.result(jobId).then(
      () => (scene.server.effects().at(-1)?.args.got as { deep: unknown[] } | undefined)?.deep[0],
      (error: { reason: string }) => error.reason,
    );
  };
  expect(await run('/x~1y/0/z')).toBe(1);
  expect(await run('/x~1y/1')).toBe(null);
  expect(await run('')).toMatchObject({ orderId: 'a' });
  expect(await run('/constructor')).toBe('previous-step-lacks');
  expect(await run('/x~1y/length/z')).toBe('previous-step-lacks');
});
