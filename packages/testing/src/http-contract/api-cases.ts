/** Cases of everything beside calls: operations, health, the description, what is not there, and the bytes of problems. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { HttpCase, HttpWorld } from './fixture.ts';

/** Pays three orders, and gives their operation ids, the latest first. */
async function payThree({ execute }: HttpWorld, as: 'alice' | 'bob' = 'alice'): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const orderId of ['1', '2', '3']) {
    const { headers } = await execute('pay', { orderId }, { key: `${as}-${orderId}`, as });
    ids.unshift(headers['mcp-tx-operation-id'] ?? '');
  }
  return ids;
}

type List = { readonly operations: readonly Record<string, unknown>[]; readonly cursor?: string };

export const apiCases: readonly HttpCase[] = [
  {
    id: 'http:operation',
    title: 'an operation is shown with its state, its result and nothing of the ledger’s own',
    needs: [],
    async run({ execute, send }) {
      const { json: call, headers } = await execute('pay', { orderId: 'a', secret: 'canary' }, { key: 'key-a' });
      const { status, json, text } = await send(`/operations/${headers['mcp-tx-operation-id']}`);
      equal(status, 200);
      deepEqual([json.tool, json.state, json.execution, json.attempts], ['pay', 'completed', 'done', 1]);
      deepEqual([json.result, json.idempotencyKey], [call.result, 'key-a']);
      for (const name of ['fingerprint', 'digest', 'fence', 'scope', 'arguments']) ok(!(name in json), name);
      ok(!text.includes('"leaseUntil"'));
    },
  },
  {
    id: 'http:operations',
    title: 'a list has the caller’s own operations, newest first, page by page',
    needs: [],
    async run(world) {
      await payThree(world, 'bob');
      const ids = await payThree(world);
      const first = await world.send('/operations?limit=2&tool=pay&state=completed&state=sent');
      const page = first.json as unknown as List;
      equal(first.status, 200);
      deepEqual(
        page.operations.map(({ operationId }) => operationId),
        ids.slice(0, 2),
      );
      const rest = await world.send(`/operations?limit=2&cursor=${encodeURIComponent(page.cursor ?? '')}`);
      const last = rest.json as unknown as List;
      deepEqual(
        last.operations.map(({ operationId }) => operationId),
        ids.slice(2),
      );
      const none = await world.send('/operations?state=in_doubt');
      deepEqual(none.json, { operations: [] });
    },
  },
  {
    id: 'http:operations-query',
    title: 'a query that means nothing is 400',
    needs: [],
    async run({ send }) {
      for (const query of ['limit=0', 'limit=101', 'limit=x', 'state=gone', 'scope=bob', 'limit=1&sort=up']) {
        const { status, json } = await send(`/operations?${query}`);
        deepEqual([query, status, json.code], [query, 400, 'REQUEST_INVALID']);
      }
    },
  },
  {
    id: 'http:no-operation',
    title: 'an operation that does not exist, and an id that cannot be one, are the same 404',
    needs: [],
    async run({ send }) {
      const replies = [];
      for (const id of [`op_${'a'.repeat(26)}`, 'nonsense', '..%2F..', 'op_', '%00'])
        replies.push(await send(`/operations/${id}`));
      deepEqual(
        replies.map(({ status }) => status),
        [404, 404, 404, 404, 404],
      );
      equal(new Set(replies.map(({ text }) => text)).size, 1);
    },
  },
  {
    id: 'http:health',
    title: 'livez and readyz answer without a token, and say nothing but how things stand',
    needs: [],
    async run({ send }) {
      for (const path of ['/livez', '/readyz']) {
        const { status, json, headers } = await send(path, { as: null });
        deepEqual([path, status, json], [path, 200, { status: 'ok' }]);
        equal(headers['cache-control'], 'no-store');
      }
    },
  },
  {
    id: 'http:not-ready',
    title: 'without its server a host is alive and not ready',
    needs: [],
    server: { mode: 'refuse' },
    async run({ send }) {
      deepEqual([(await send('/livez')).status, (await send('/readyz')).status], [200, 503]);
    },
  },
  {
    id: 'http:no-openapi',
    title: 'the description is off unless it is asked for',
    needs: [],
    async run({ send }) {
      equal((await send('/openapi.json')).status, 404);
    },
  },
  {
    id: 'http:openapi',
    title: 'the description has the tools that its reader may call, and needs a token',
    needs: [],
    profile: { openapi: true },
    async run({ send }) {
      const { status, json } = await send('/openapi.json', { as: 'bob' });
      deepEqual([status, json.openapi], [200, '3.1.0']);
      const paths = Object.keys(json.paths as object);
      ok(paths.includes('/execute/pay') && !paths.includes('/execute/append') && !paths.includes('/execute/echo'));
      equal((await send('/openapi.json', { as: null })).status, 401);
    },
  },
  {
    id: 'http:methods',
    title: 'another method than a path has is 405 with Allow',
    needs: [],
    async run({ send }) {
      const wrong = [
        ['GET', '/execute/pay', 'POST'],
        ['PUT', '/execute/pay', 'POST'],
        ['POST', '/operations', 'GET, HEAD'],
        ['DELETE', `/operations/op_${'a'.repeat(26)}`, 'GET, HEAD'],
      ] as const;
      for (const [method, path, allow] of wrong) {
        const { status, headers } = await send(path, { method });
        if (status === 404) continue; // some frameworks route by method, and know no such route
        deepEqual([method, path, status, headers.allow], [method, path, 405, allow]);
      }
    },
  },
  {
    id: 'http:problem-bytes',
    title: 'problems have the same bytes in every host',
    needs: [],
    async run({ send, execute }) {
      const bodies = [
        await execute('echo', {}, { key: 'k' }),
        await execute('pay', { orderId: 'a' }),
        await execute('pay', { orderId: 'a' }, { key: 'k', as: null }),
        await execute('pay', { orderId: 'a' }, { key: 'k', headers: { 'content-type': 'text/plain' } }),
        await send(`/operations/op_${'a'.repeat(26)}`),
      ];
      deepEqual(
        bodies.map(({ text }) => text),
        PROBLEMS,
      );
      for (const { headers, status, json } of bodies) {
        equal(headers['content-type'], 'application/problem+json');
        equal(json.status, status);
        match(headers['cache-control'] ?? '', /no-store/);
      }
    },
  },
];

const rest = '"execution":"none","retryable":false,"attempts":0}';
const PROBLEMS: readonly string[] = [
  `{"type":"urn:mcp-tx:problem:tool-not-found","title":"The server has no tool of that name.","status":404,"code":"TOOL_NOT_FOUND",${rest}`,
  `{"type":"urn:mcp-tx:problem:key-required","title":"This tool needs an Idempotency-Key header.","status":400,"code":"KEY_REQUIRED",${rest}`,
  `{"type":"urn:mcp-tx:problem:unauthenticated","title":"It is not known who asks.","status":401,"code":"UNAUTHENTICATED",${rest}`,
  `{"type":"urn:mcp-tx:problem:media-type-unsupported","title":"The body must be application/json in UTF-8.","status":415,"code":"MEDIA_TYPE_UNSUPPORTED",${rest}`,
  `{"type":"urn:mcp-tx:problem:operation-not-found","title":"No such operation.","status":404,"code":"OPERATION_NOT_FOUND",${rest}`,
];
