/** Rows of the attack list about principals and keys: whose operation it is, and what can name one. */
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import type { HttpCase } from './fixture.ts';

const order = { orderId: 'a' };

export const attackKeyCases: readonly HttpCase[] = [
  {
    id: 'http:attack-other-tenants-key',
    title: 'the key and the arguments of another principal name an operation of one’s own',
    attack: 1,
    needs: [],
    async run({ execute, paid }) {
      const hers = await execute('pay', order, { key: 'order:42' });
      const his = await execute('pay', order, { key: 'order:42', as: 'bob' });
      deepEqual([hers.status, his.status, his.headers['idempotent-replayed']], [200, 200, undefined]);
      notEqual(his.headers['mcp-tx-operation-id'], hers.headers['mcp-tx-operation-id']);
      notEqual(JSON.stringify(his.json.result), JSON.stringify(hers.json.result));
      equal(paid('a'), 2);
    },
  },
  {
    id: 'http:attack-other-tenants-operation',
    title: 'the operation of another principal is the 404 of one that does not exist',
    attack: 2,
    needs: [],
    async run({ execute, send }) {
      const { headers } = await execute('pay', order, { key: 'k' });
      const his = await send(`/operations/${headers['mcp-tx-operation-id']}`, { as: 'bob' });
      const none = await send(`/operations/op_${'a'.repeat(26)}`, { as: 'bob' });
      deepEqual([his.status, his.text], [404, none.text]);
      deepEqual(Object.keys(his.headers).sort(), Object.keys(none.headers).sort());
      deepEqual((await send('/operations', { as: 'bob' })).json, { operations: [] });
    },
  },
  {
    id: 'http:attack-principal-in-request',
    title: 'who asks is never taken from a body, a query or a header that anybody can write',
    attack: 3,
    needs: [],
    async run({ send, execute, arrivals }) {
      for (const body of [
        { arguments: order, scope: 'bob' },
        { arguments: order, principal: 'bob' },
      ]) {
        const { status } = await send('/execute/pay', { method: 'POST', key: 'k', body });
        equal(status, 400);
      }
      equal(arrivals(), 0);
      const headers = { 'x-user': 'bob', 'x-forwarded-user': 'bob', 'x-scope': 'bob' };
      const reply = await execute('pay', order, { key: 'k', headers });
      const path = `/operations/${reply.headers['mcp-tx-operation-id']}`;
      deepEqual([(await send(path)).status, (await send(path, { as: 'bob' })).status], [200, 404]);
    },
  },
  {
    id: 'http:attack-no-principals',
    title: 'a host that was not told who asks does not start',
    attack: 4,
    needs: [],
    profile: { authenticate: 'missing' },
    refused: /authenticate/,
    run: async () => undefined,
  },
  {
    id: 'http:attack-key-other-arguments',
    title: 'a key with other arguments is 422, and nothing is sent',
    attack: 5,
    needs: [],
    async run({ execute, arrivals }) {
      await execute('pay', order, { key: 'k' });
      const { status, json } = await execute('pay', { orderId: 'b' }, { key: 'k' });
      deepEqual([status, json.code, json.execution, arrivals()], [422, 'KEY_CONFLICT', 'none', 1]);
    },
  },
  {
    id: 'http:attack-key-other-tool',
    title: 'a key with another tool is 422, and nothing is sent',
    attack: 6,
    needs: [],
    async run({ execute, arrivals }) {
      await execute('append', order, { key: 'k' });
      const { status, json } = await execute('pay', order, { key: 'k' });
      deepEqual([status, json.code, arrivals()], [422, 'KEY_CONFLICT', 1]);
    },
  },
  {
    id: 'http:attack-empty-keys',
    title: 'no key, an empty one and a blank one are 400 where a key is needed',
    attack: 7,
    needs: [],
    async run({ execute, arrivals }) {
      for (const key of [undefined, '', ' ', '""', '" "']) {
        const { status, json } = await execute('pay', order, key === undefined ? {} : { key });
        deepEqual([key, status, json.execution], [key, 400, 'none']);
      }
      equal(arrivals(), 0);
    },
  },
  {
    id: 'http:attack-long-keys',
    title: 'a key of 256 characters is 400, one of a megabyte is refused, and nothing is stored',
    attack: 8,
    needs: [],
    async run({ execute, send, arrivals }) {
      const long = await execute('pay', order, { key: 'x'.repeat(256) });
      deepEqual([long.status, long.json.code], [400, 'KEY_INVALID']);
      const huge = await execute('pay', order, { key: 'x'.repeat(1_000_000) }).then(
        ({ status }) => status,
        () => 431,
      );
      ok([400, 413, 431].includes(huge), `status ${huge}`);
      deepEqual((await send('/operations')).json, { operations: [] });
      equal(arrivals(), 0);
    },
  },
  {
    id: 'http:attack-strange-keys',
    title: 'keys beyond printable ASCII are 400; what looks like SQL, a path or a pattern is data',
    attack: 9,
    needs: [],
    async run({ execute, arrivals }) {
      for (const key of ['clé', '"clé"', 'a\tb', '\u00a0', '\u0080']) {
        const { status, json } = await execute('pay', order, { key });
        deepEqual([key, status, json.code], [key, 400, 'KEY_INVALID']);
      }
      equal(arrivals(), 0);
      const strange = ['a:*', '../../etc', '{tag}', `"'; DROP TABLE operations; --"`, '"a, b"', '%00'];
      for (const key of strange) equal((await execute('pay', order, { key })).status, 200, key);
      equal(arrivals(), strange.length);
    },
  },
  {
    id: 'http:attack-two-keys',
    title: 'two keys, in two headers or in one list, are 400',
    attack: 10,
    needs: [],
    async run({ execute, arrivals }) {
      for (const key of [['a', 'b'], ['a', 'a'], ['"a"', '"b"'], 'a, b', '"a", "b"', '"a";v=1']) {
        const { status, json } = await execute('pay', order, { key });
        deepEqual([key, status, json.code], [key, 400, 'KEY_INVALID']);
      }
      equal(arrivals(), 0);
    },
  },
  {
    id: 'http:attack-similar-keys',
    title: 'keys that differ in case or in a space are different keys',
    attack: 11,
    needs: [],
    async run({ execute, paid }) {
      const keys = ['"k"', '"K"', '"k "', '" k"', '"k/"', '"k%20"'];
      const replies = [];
      for (const key of keys) replies.push(await execute('pay', order, { key }));
      equal(new Set(replies.map(({ headers }) => headers['mcp-tx-operation-id'])).size, keys.length);
      equal(paid('a'), keys.length);
    },
  },
  {
    id: 'http:attack-guessed-keys',
    title: 'keys that somebody guessed and used first mean nothing to their principal',
    attack: 12,
    needs: [],
    async run({ execute }) {
      await execute('pay', { orderId: 'his' }, { key: 'order:43', as: 'bob' });
      const { status, headers } = await execute('pay', { orderId: 'hers' }, { key: 'order:43' });
      deepEqual([status, headers['idempotent-replayed']], [200, undefined]);
    },
  },
  {
    id: 'http:attack-flood',
    title: 'a principal over its rate gets 429 with Retry-After, and others go on',
    attack: 13,
    needs: [],
    profile: { rate: { burst: 3, perSecond: 0.01 } },
    async run({ execute, arrivals }) {
      const statuses = [];
      for (let n = 0; n < 5; n += 1) {
        const { status, headers } = await execute('pay', order, { key: `k${n}` });
        statuses.push(status);
        if (status === 429) ok(Number(headers['retry-after']) > 0);
      }
      deepEqual(statuses, [200, 200, 200, 429, 429]);
      equal((await execute('pay', order, { key: 'k', as: 'bob' })).status, 200);
      equal(arrivals(), 4);
    },
  },
];
