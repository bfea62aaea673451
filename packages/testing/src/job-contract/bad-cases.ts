/** Cases of bad input (T23 of the adapters' list of statements): whatever lies in a queue, nothing of it reaches a tool, its reason is told, and other jobs flow on. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { until } from '../until.ts';
import type { JobCase } from './fixture.ts';

const GOOD = { v: 1, tool: 'pay', arguments: { orderId: 'x' }, idempotencyKey: 'k' };
const LONG = 'x'.repeat(5 * 1_024 * 1_024);

/** What a stranger may put into a queue, and the code that it is put aside with. */
const FORGED: readonly (readonly [what: string, body: unknown, code: RegExp])[] = [
  ['no version', { ...GOOD, v: undefined }, /^CALL_INVALID$/],
  ['another version', { ...GOOD, v: 2 }, /^CALL_INVALID$/],
  ['an unknown member', { ...GOOD, principal: 'root' }, /^CALL_INVALID$/],
  ['a list', [GOOD], /^CALL_INVALID$/],
  ['a text', 'pay', /^CALL_INVALID$/],
  ['nothing', null, /^CALL_INVALID$/],
  ['a job of somebody else’s', { to: 'ann@example.org', subject: 'Hello' }, /^CALL_INVALID$/],
  ['a tool that is no name', { ...GOOD, tool: { name: 'pay' } }, /^CALL_INVALID$/],
  ['arguments that are a list', { ...GOOD, arguments: ['x'] }, /^CALL_INVALID$/],
  ['arguments of another type', { ...GOOD, arguments: { orderId: 7 } }, /^ARGUMENTS_INVALID$/],
  ['a bad key', { ...GOOD, idempotencyKey: 'a\nb' }, /^KEY_INVALID$/],
  ['a number for a key', { ...GOOD, idempotencyKey: 42 }, /^KEY_INVALID$/],
  ['a deadline that is none', { ...GOOD, deadlineAt: 'tomorrow' }, /^CALL_INVALID$/],
  ['a scope that nobody believes', { ...GOOD, scope: 'root' }, /^CALL_INVALID$/],
  ['a tool off the list', { ...GOOD, tool: 'typed' }, /^TOOL_NOT_ALLOWED$/],
  ['an unknown tool', { ...GOOD, tool: 'absent' }, /^(TOOL_NOT_FOUND|REJECTED)$/],
  ['5 MB of arguments', { ...GOOD, arguments: { orderId: LONG } }, /^(CALL|ARGUMENTS)_INVALID$/],
  ['5 MB of meta', { ...GOOD, meta: { note: LONG } }, /^CALL_INVALID$/],
  ['a deadline that has passed', { ...GOOD, deadlineAt: 1 }, /^DEADLINE_EXCEEDED$/],
];

export const badCases: readonly JobCase[] = [
  {
    id: 'job:forged',
    title:
      'forged, foreign, oversized and late messages are put aside with their reasons; jobs between them run [G:Q4]',
    attack: 58,
    needs: [],
    async run({ host, arrivals, paid }) {
      const tickets = new Map<string, RegExp>();
      for (const [, body, code] of FORGED) tickets.set(await host.inject(body), code);
      const good = await Promise.all(['a', 'b', 'c'].map((orderId) => host.enqueue('pay', { orderId })));
      for (const ticket of good) equal((await host.endOf(ticket)).ok, true);
      await until('all are put aside', async () => (await host.deadLetters()).length >= FORGED.length, 15_000);
      const letters = await host.deadLetters();
      equal(letters.length, FORGED.length);
      for (const { ticket, problem } of letters) {
        const place = [...tickets.keys()].indexOf(ticket);
        const [what, , code] = FORGED[place] ?? ['a message that nobody sent', undefined, /^$/];
        equal(code.test(problem.code), true, `${what} is put aside with ${problem.code}: ${problem.message}`);
        equal(problem.execution, 'none', what);
      }
      await until('the queue is empty', async () => (await host.pending()) === 0);
      deepEqual([arrivals(), paid('x'), paid('a'), paid('b'), paid('c')], [3, 0, 1, 1, 1]);
    },
  },
  {
    id: 'job:refused-at-once',
    title: 'what could never be run is refused where it is put into the queue, and is not in it',
    needs: [],
    async run({ host, arrivals }) {
      const put = (args: unknown, options = {}, tool = 'pay') =>
        host.enqueue(tool, args as Record<string, unknown>, options);
      await rejects(put({ orderId: 'a' }, { idempotencyKey: 'a\nb' }), { code: 'KEY_INVALID' });
      await rejects(put({ orderId: 'a' }, { idempotencyKey: '' }), { code: 'KEY_INVALID' });
      await rejects(put({ orderId: 'a' }, { idempotencyKey: 'k'.repeat(256) }), { code: 'KEY_INVALID' });
      await rejects(put({ amount: 7n }), { code: 'ARGUMENTS_INVALID' });
      await rejects(put({ amount: Number.NaN }), { code: 'ARGUMENTS_INVALID' });
      await rejects(put({ orderId: LONG }), { code: 'ARGUMENTS_INVALID' });
      await rejects(put(['a']), { code: 'ARGUMENTS_INVALID' });
      await rejects(put({}, {}, ''), { code: 'CALL_INVALID' });
      await rejects(put({}, { deadlineAt: Number.NaN }), { code: 'CALL_INVALID' });
      await rejects(put({}, { meta: 'x' }), { code: 'CALL_INVALID' });
      deepEqual([await host.pending(), (await host.deadLetters()).length, arrivals()], [0, 0, 0]);
    },
  },
  {
    id: 'job:scope',
    title: 'the scope of a job counts where the host believes it [G:Q4]',
    attack: 1,
    needs: [],
    setup: { scope: (job) => job.scope },
    async run({ host, client, paid }) {
      const put = (scope: string) => host.enqueue('pay', { orderId: scope }, { scope, idempotencyKey: 'order' });
      const tickets = [await put('alice'), await put('bob')];
      for (const ticket of tickets) equal((await host.endOf(ticket)).ok, true);
      deepEqual([paid('alice'), paid('bob')], [1, 1]);
      for (const scope of ['alice', 'bob']) equal((await client.listOperations({ scope })).records.length, 1);
    },
  },
];
