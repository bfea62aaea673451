/** Cases of how jobs end (T9, T46): acknowledged, come again, or put aside; and that each runs once. */
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { resultOf } from '@mcp-tx/core/job';
import { until } from '../until.ts';
import type { JobCase } from './fixture.ts';
import { codeOf, endOfCall } from './refusal.ts';

export const endCases: readonly JobCase[] = [
  {
    id: 'job:completed',
    title: 'a job runs once and is acknowledged; whoever put it there gets the tool’s result',
    needs: [],
    async run({ host, paid, arrivals }) {
      const reply = await host.endOf(await host.enqueue('pay', { orderId: 'a', amount: 7 }));
      const { result, meta } = resultOf(reply);
      equal((result.structured as { orderId: string }).orderId, 'a');
      deepEqual([meta.processed, meta.attempts, meta.execution], [true, 1, 'done']);
      await until('the queue is empty', async () => (await host.pending()) === 0);
      deepEqual([paid('a'), arrivals(), await host.deadLetters()], [1, 1, []]);
    },
  },
  {
    id: 'job:is-error',
    title: 'a tool that ran and said no is acknowledged like any other, and does not run again',
    needs: [],
    server: { script: [{ tool: 'pay', fault: { kind: 'is-error', text: 'declined' } }] },
    async run({ host, arrivals }) {
      const { result } = resultOf(await host.endOf(await host.enqueue('pay', { orderId: 'a' })));
      equal(result.isError, true);
      await until('the queue is empty', async () => (await host.pending()) === 0);
      deepEqual([arrivals(), await host.deadLetters()], [1, []]);
    },
  },
  {
    id: 'job:key-twice',
    title: 'one key put into the queue many times at once, and again later, is one effect with one result [G:Q1]',
    needs: [],
    async run({ host, paid }) {
      const put = () => host.enqueue('pay', { orderId: 'a' }, { idempotencyKey: 'order:a' });
      const tickets = await Promise.all(Array.from({ length: 10 }, put));
      const replies = await Promise.all(tickets.map((ticket) => host.endOf(ticket)));
      replies.push(await host.endOf(await put()));
      equal(new Set(replies.map((reply) => JSON.stringify(resultOf(reply).result))).size, 1);
      equal(paid('a'), 1);
    },
  },
  {
    id: 'job:keyless',
    title: 'jobs without a key are operations of their own, however equal they are',
    needs: [],
    async run({ host, paid }) {
      const put = () => host.enqueue('pay', { orderId: 'a' });
      await Promise.all((await Promise.all([put(), put(), put()])).map((ticket) => host.endOf(ticket)));
      equal(paid('a'), 3);
    },
  },
  {
    id: 'job:conflict',
    title: 'a key that was used for something else never gets somebody else’s result',
    attack: 5,
    needs: [],
    async run({ host, paid }) {
      const put = (orderId: string) => endOfCall(host, 'pay', { orderId }, { idempotencyKey: 'order' });
      resultOf(await put('a'));
      const refused = await put('b');
      deepEqual([refused.ok, codeOf(refused)], [false, 'KEY_CONFLICT']);
      deepEqual([paid('a'), paid('b')], [1, 0]);
    },
  },
  {
    id: 'job:retry-later',
    title: 'while the server is away a job comes again and again, which burns no attempt; then it runs once',
    needs: [],
    instance: { breaker: false, timeoutMs: 300 },
    setup: { concurrency: 1 },
    async run({ host, serverDown, serverUp, ends, paid }) {
      await serverDown();
      const ticket = await host.enqueue('pay', { orderId: 'a' });
      await until('it comes again', () => ends.length >= 6, 15_000);
      deepEqual([...new Set(ends.map(({ kind }) => kind))], ['retryLater']);
      deepEqual([await host.pending(), await host.deadLetters()], [1, []]);
      await serverUp();
      equal(resultOf(await host.endOf(ticket)).meta.attempts, 1);
      equal(paid('a'), 1);
    },
  },
  {
    id: 'job:in-doubt',
    title:
      'what may have run is put aside with its reason, is in the ledger, and never goes back into the queue [G:Q2]',
    needs: [],
    server: { script: [{ tool: 'pay', at: 1, fault: 'drop-response' }] },
    instance: { timeoutMs: 300 },
    async run({ host, client, arrivals, paid }) {
      const put = () => host.enqueue('pay', { orderId: 'a' }, { idempotencyKey: 'order:a' });
      const ticket = await put();
      const reply = await host.endOf(ticket);
      deepEqual([reply.ok, codeOf(reply)], [false, 'IN_DOUBT']);
      await until('it is put aside', async () => (await host.deadLetters()).length === 1);
      const [letter] = await host.deadLetters();
      deepEqual(
        [letter?.ticket, letter?.problem.execution, letter?.problem.retryable, letter?.problem.attempts],
        [ticket, 'unknown', false, 1],
      );
      const operationId = letter?.problem.operationId ?? '';
      await until('in doubt', async () => (await client.getOperation(operationId))?.state === 'in_doubt');
      equal(codeOf(await host.endOf(await put())), 'IN_DOUBT');
      const healthy = await host.endOf(await host.enqueue('pay', { orderId: 'b' }));
      deepEqual([healthy.ok, await host.pending(), paid('a'), paid('b'), arrivals()], [true, 0, 1, 1, 2]);
    },
  },
  {
    id: 'job:attempts',
    title: 'the engine alone sends again: as often as one call may, and then the job is put aside',
    needs: [],
    server: { script: [{ tool: 'read_balance', at: 'all', fault: { kind: 'status', status: 500 } }] },
    async run({ host, arrivals, ends }) {
      const reply = await host.endOf(await host.enqueue('read_balance'));
      equal(reply.ok, false);
      deepEqual([arrivals(), ends.map(({ kind }) => kind)], [5, ['deadLetter']]);
    },
  },
  {
    id: 'job:attempts-over-runs',
    title: 'attempts are counted in the ledger: all runs of a job together send no more often than one call may',
    needs: [],
    server: { script: [{ tool: 'pay', at: 'all', fault: { kind: 'status', status: 429, retryAfter: 1 } }] },
    instance: { timeoutMs: 600, retry: { maxAttempts: 3, baseDelayMs: 10, maxDelayMs: 50 } },
    async run({ host, arrivals, ends }) {
      const reply = await host.endOf(await host.enqueue('pay', { orderId: 'a' }));
      deepEqual([reply.ok, codeOf(reply)], [false, 'SERVER_BUSY']);
      equal(arrivals(), 3);
      deepEqual(
        ends.map(({ kind }) => kind),
        ['retryLater', 'retryLater', 'deadLetter'],
      );
    },
  },
  {
    id: 'job:burst',
    title: 'a hundred jobs, each key twice, have a hundred effects [G:Q1]',
    needs: [],
    setup: { concurrency: 16 },
    async run({ host, server, paid }) {
      const order = (n: number): string => `order-${n % 100}`;
      const put = (n: number) => host.enqueue('pay', { orderId: order(n) }, { idempotencyKey: order(n) });
      const tickets = await Promise.all(Array.from({ length: 200 }, (_, n) => put(n)));
      const replies = await Promise.all(tickets.map((ticket) => host.endOf(ticket)));
      ok(replies.every((reply) => reply.ok));
      equal(server().effects().length, 100);
      for (let n = 0; n < 100; n += 1) equal(paid(order(n)), 1, order(n));
    },
  },
  {
    id: 'job:keys',
    title: 'keys are opaque: colons, whole numbers, spaces and case make different operations',
    attack: 11,
    needs: [],
    async run({ host, server }) {
      const keys = ['a:b', 'a:b:c', ':', '42', '0', '-1', 'a', 'A', 'a ', 'é', 'e\u0301', '{a}', 'k'.repeat(255)];
      const put = (key: string) => host.enqueue('pay', { orderId: key }, { idempotencyKey: key });
      const tickets = await Promise.all(keys.map(put));
      equal(new Set(tickets).size, keys.length);
      for (const ticket of tickets) notEqual((await host.endOf(ticket)).ok, false);
      equal(server().effects().length, keys.length);
    },
  },
];
