/** Cases of time and of death (T21, T22, T25, T48): deadlines and traces are carried, workers end in order or not, brokers go away. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { resultOf } from '@mcp-tx/core/job';
import { until } from '../until.ts';
import type { JobCase } from './fixture.ts';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

export const lifeCases: readonly JobCase[] = [
  {
    id: 'job:carried',
    title: 'the trace of whoever put a job there, and the time that is left, reach the server',
    needs: [],
    server: { aware: true },
    async run({ host, server }) {
      const deadlineAt = Date.now() + 2_000;
      const ticket = await host.enqueue('pay', { orderId: 'a' }, { deadlineAt, meta: { traceparent: TRACE } });
      equal((await host.endOf(ticket)).ok, true);
      const [arrival] = server().faults().arrivals;
      equal(arrival?.traceparent, TRACE);
      const { remainingMs = Number.NaN } = arrival ?? {};
      ok(remainingMs > 0 && remainingMs <= 2_000, `${remainingMs} ms are left`);
    },
  },
  {
    id: 'job:too-late',
    title: 'a job whose deadline passed in the queue is put aside, and nothing is sent',
    needs: [],
    async run({ host, arrivals }) {
      await host.stopWorker();
      const ticket = await host.enqueue('pay', { orderId: 'a' }, { deadlineAt: new Date(Date.now() + 100) });
      await sleep(150);
      await host.startWorker();
      const reply = await host.endOf(ticket);
      deepEqual([reply.ok, !reply.ok && reply.problem.code], [false, 'DEADLINE_EXCEEDED']);
      equal(arrivals(), 0);
    },
  },
  {
    id: 'job:drain',
    title: 'a worker that is stopped ends its call first and takes no other; that one waits for the next worker',
    needs: [],
    setup: { concurrency: 1 },
    async run({ host, arrivals, paid }) {
      const first = await host.enqueue('slow', { ms: 400, orderId: 'a' });
      await until('the call', () => arrivals() === 1);
      const second = await host.enqueue('pay', { orderId: 'b' });
      await host.stopWorker();
      deepEqual([paid('a'), paid('b'), arrivals(), await host.pending()], [1, 0, 1, 1]);
      equal((await host.endOf(first)).ok, true);
      await host.startWorker();
      equal((await host.endOf(second)).ok, true);
      equal(paid('b'), 1);
    },
  },
  {
    id: 'job:hung',
    title:
      'a call that outlasts the grace of its worker goes back into the queue; its next run finds its one result [G:Q1]',
    needs: [],
    setup: { graceMs: 200 },
    async run({ host, arrivals, paid }) {
      const ticket = await host.enqueue('slow', { ms: 1_500, orderId: 'a' });
      await until('the call', () => arrivals() === 1);
      const startedAt = performance.now();
      await host.stopWorker();
      const tookMs = performance.now() - startedAt;
      ok(tookMs >= 150 && tookMs < 1_200, `it took ${tookMs} ms`);
      deepEqual([await host.pending(), await host.deadLetters(), paid('a')], [1, [], 0]);
      await host.startWorker();
      equal(resultOf(await host.endOf(ticket)).meta.attempts, 1);
      deepEqual([paid('a'), arrivals()], [1, 1]);
    },
  },
  {
    id: 'job:cut',
    title:
      'a job whose worker is cut off in its call comes again to another one, which finds its one result [G:Q1] [G:Q3]',
    needs: ['cut'],
    setup: { concurrency: 2 },
    async run({ host, arrivals, paid }) {
      const ticket = await host.enqueue('slow', { ms: 800, orderId: 'a' });
      await until('the call', () => arrivals() === 1);
      await host.cutWorker?.();
      await host.startWorker();
      const { meta } = resultOf(await host.endOf(ticket));
      deepEqual([meta.attempts, meta.duplicate, paid('a'), arrivals()], [1, true, 1, 1]);
      await until('the queue is empty', async () => (await host.pending()) === 0);
      deepEqual(await host.deadLetters(), []);
    },
  },
  {
    id: 'job:outage',
    title: 'a broker that is killed and started again loses no job and doubles none [G:Q1] [G:Q3]',
    needs: ['outage'],
    async run({ host, arrivals, paid, server }) {
      const orders = Array.from({ length: 30 }, (_, n) => `order-${n}`);
      const put = (orderId: string) => host.enqueue('slow', { ms: 60, orderId }, { idempotencyKey: orderId });
      const tickets = await Promise.all(orders.map(put));
      await until('some calls', () => arrivals() >= 4);
      await host.breakBroker?.();
      for (const ticket of tickets) equal((await host.endOf(ticket)).ok, true);
      for (const orderId of orders) equal(paid(orderId), 1, orderId);
      equal(server().effects().length, orders.length);
      await until('the queue is empty', async () => (await host.pending()) === 0);
      deepEqual(await host.deadLetters(), []);
    },
  },
];
