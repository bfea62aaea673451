/** Rows of the attack list that reach a queue: what a stranger, or another tenant, puts into it. */
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { until } from '../until.ts';
import type { JobCase, JobWorld } from './fixture.ts';
import { codeOf, endOfCall } from './refusal.ts';

const GOOD = { v: 1, tool: 'pay', arguments: { orderId: 'x' }, idempotencyKey: 'k' };
const MANY = 100;
/** NUL and half of a pair, as JSON spells them: PostgreSQL holds neither, so a queue on it refuses the message itself. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/;

/** Puts each message into the queue; every one is put aside with that code, nothing reaches the server, and another job runs. */
async function refuseAll(
  { host, arrivals, paid }: JobWorld,
  code: RegExp,
  bodies: Readonly<Record<string, unknown>>,
): Promise<void> {
  const names = new Map<string, string>();
  for (const [what, body] of Object.entries(bodies)) {
    const ticket = await host.inject(body).catch((refusal: unknown) => {
      if (!UNSTORABLE.test(JSON.stringify(body))) throw refusal;
    });
    if (ticket !== undefined) names.set(ticket, what);
  }
  await until('all are put aside', async () => (await host.deadLetters()).length >= names.size, 15_000);
  const letters = await host.deadLetters();
  equal(letters.length, names.size);
  for (const { ticket, problem } of letters) {
    const what = names.get(ticket) ?? 'a message that nobody sent';
    ok(code.test(problem.code), `${what} is put aside with ${problem.code}: ${problem.message}`);
    equal(problem.execution, 'none', what);
  }
  equal(arrivals(), 0);
  equal((await host.endOf(await host.enqueue('pay', { orderId: 'good' }))).ok, true);
  equal(paid('good'), 1);
}

const withArguments = (more: object): object => ({ ...GOOD, arguments: { orderId: 'x', ...more } });
const withKey = (idempotencyKey: unknown): object => ({ ...GOOD, idempotencyKey });

export const attackCases: readonly JobCase[] = [
  {
    id: 'job:attack-principal',
    title: 'who a job says it is for counts for nothing where the host does not believe jobs',
    attack: 3,
    needs: [],
    run: (world) =>
      refuseAll(world, /^CALL_INVALID$/, {
        principal: { ...GOOD, principal: 'root' },
        user: { ...GOOD, user: { id: 'root' } },
        scope: { ...GOOD, scope: 'root' },
      }),
  },
  {
    id: 'job:attack-other-tool',
    title: 'a key that was used for another tool runs nothing',
    attack: 6,
    needs: [],
    async run({ host, arrivals, paid }) {
      equal((await host.endOf(await host.enqueue('pay', { orderId: 'a' }, { idempotencyKey: 'k' }))).ok, true);
      const refused = await endOfCall(host, 'append', { line: 'a' }, { idempotencyKey: 'k' });
      deepEqual([refused.ok, codeOf(refused)], [false, 'KEY_CONFLICT']);
      deepEqual([arrivals(), paid('a')], [1, 1]);
    },
  },
  {
    id: 'job:attack-empty-keys',
    title: 'an empty key, and one that is no text, is no key',
    attack: 7,
    needs: [],
    run: (world) =>
      refuseAll(world, /^KEY_INVALID$/, { empty: withKey(''), null: withKey(null), list: withKey(['a', 'b']) }),
  },
  {
    id: 'job:attack-long-keys',
    title: 'a key of 256 characters, and one of a megabyte, is put aside',
    attack: 8,
    needs: [],
    run: (world) =>
      refuseAll(world, /^KEY_INVALID$/, { long: withKey('k'.repeat(256)), huge: withKey('k'.repeat(1_000_000)) }),
  },
  {
    id: 'job:attack-strange-keys',
    title: 'keys with control characters are put aside; what looks like SQL, a path or a pattern is data',
    attack: 9,
    needs: [],
    async run(world) {
      await refuseAll(world, /^KEY_INVALID$/, {
        'a new line': withKey('a\r\nb'),
        NUL: withKey('a\0b'),
        'half a pair': withKey('\ud800'),
      });
      const { host, arrivals } = world;
      const before = arrivals();
      const strange = ['a:*', '../../etc', '{tag}', `"'; DROP TABLE operations; --"`, '%00', '💳'];
      const put = (key: string) => host.enqueue('pay', { orderId: key }, { idempotencyKey: key });
      for (const ticket of await Promise.all(strange.map(put))) equal((await host.endOf(ticket)).ok, true);
      equal(arrivals() - before, strange.length);
    },
  },
  {
    id: 'job:attack-guessed-keys',
    title: 'keys that somebody guessed and used first mean nothing to their tenant',
    attack: 12,
    needs: [],
    setup: { scope: (job) => job.scope },
    async run({ host, paid }) {
      const put = (scope: string, orderId: string) =>
        host.enqueue('pay', { orderId }, { scope, idempotencyKey: 'order:43' });
      equal((await host.endOf(await put('mallory', 'his'))).ok, true);
      const hers = await host.endOf(await put('alice', 'hers'));
      deepEqual([hers.ok, hers.ok && hers.meta.duplicate], [true, false]);
      deepEqual([paid('his'), paid('hers')], [1, 1]);
    },
  },
  {
    id: 'job:attack-prototype',
    title: 'members named __proto__ and constructor are data: they change no object, and they count',
    attack: 14,
    needs: [],
    async run({ host, server, ends, paid }) {
      const sly = '{"orderId":"a","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
      await host.inject({ ...GOOD, arguments: JSON.parse(sly) as object });
      await until('it has ended', () => ends.length > 0);
      equal(({} as { polluted?: number }).polluted, undefined);
      equal(ends[0]?.kind, 'acknowledge');
      ok(JSON.stringify(server().effects()[0]?.args).includes('constructor'));
      const refused = await endOfCall(host, 'pay', { orderId: 'a' }, { idempotencyKey: 'k' });
      deepEqual([refused.ok, codeOf(refused)], [false, 'KEY_CONFLICT']);
      equal(paid('a'), 1);
    },
  },
  {
    id: 'job:attack-envelope',
    title: 'members have one spelling, and nothing beside them is taken',
    attack: 15,
    needs: [],
    run: (world) =>
      refuseAll(world, /^CALL_INVALID$/, {
        case: { ...GOOD, Arguments: {} },
        'a letter that looks like another': { ...GOOD, 'argument\u017f': {} },
        'a second tool': { ...GOOD, Tool: 'append' },
        'arguments that are a text': { ...GOOD, arguments: 'x' },
        'arguments that are null': { ...GOOD, arguments: null },
      }),
  },
  {
    id: 'job:attack-deep',
    title: 'arguments nested 1,000 levels deep are put aside',
    attack: 16,
    needs: [],
    async run(world) {
      let deep: unknown[] = [];
      for (let level = 1; level < 1_000; level += 1) deep = [deep];
      await refuseAll(world, /^(CALL|ARGUMENTS)_INVALID$/, { deep: withArguments({ deep }) });
    },
  },
  {
    id: 'job:attack-numbers',
    title: 'whole numbers that machines read differently are put aside',
    attack: 17,
    needs: [],
    run: (world) =>
      refuseAll(world, /^(CALL|ARGUMENTS)_INVALID$/, {
        'beyond 2^53 - 1': withArguments({ amount: 2 ** 53 }),
        'beyond it, negative': withArguments({ amount: -(2 ** 60) }),
      }),
  },
  {
    id: 'job:attack-surrogates',
    title: 'text that UTF-8 cannot carry is put aside',
    attack: 18,
    needs: [],
    run: (world) =>
      refuseAll(world, /^(CALL|ARGUMENTS)_INVALID$/, {
        'half a pair': withArguments({ note: '\ud800' }),
        'half a pair in a name': withArguments({ '\udc00': 1 }),
      }),
  },
  {
    id: 'job:attack-tools',
    title: 'a tool runs under its own name only, and only where the host lists it',
    attack: 21,
    needs: [],
    async run(world) {
      const names = ['echo', 'PAY', 'pay.', 'pay ', 'a/../pay', '\u0440ay', 'pay\0', '__proto__', 'constructor'];
      const bodies = Object.fromEntries(names.map((tool, n) => [`${n}: ${tool}`, { ...GOOD, tool }]));
      await refuseAll(world, /^TOOL_NOT_ALLOWED$/, bodies);
    },
  },
  {
    id: 'job:attack-delivered-often',
    title: `one message delivered ${MANY} times has one effect`,
    attack: 59,
    needs: [],
    async run({ host, ends, paid }) {
      const tickets = new Set<string>();
      for (let n = 0; n < MANY; n += 1) tickets.add(await host.inject(GOOD));
      notEqual(tickets.size, 1);
      const done = () => ends.filter(({ kind }) => kind === 'acknowledge').length;
      await until('all have their answer', () => done() === MANY, 30_000);
      equal(paid('x'), 1);
      equal((await host.deadLetters()).length, 0);
    },
  },
];
