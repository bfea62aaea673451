/** Cases of `POST execute/:tool`: what a call answers, and how often its tool runs. */
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { until } from '../until.ts';
import type { HttpCase } from './fixture.ts';

export const callCases: readonly HttpCase[] = [
  {
    id: 'http:execute',
    title: 'a call answers with the tool’s result and what is known of it',
    needs: [],
    async run({ execute, paid }) {
      const { status, headers, json } = await execute('pay', { orderId: 'a', amount: 7 }, { key: '"key-a"' });
      equal(status, 200);
      const { result, meta } = json as { result: { content: { text: string }[] }; meta: Record<string, unknown> };
      equal((JSON.parse(result.content[0]?.text ?? '') as { orderId: string }).orderId, 'a');
      const { ack, processed, duplicate, attempts, execution } = meta;
      deepEqual([ack, processed, duplicate, attempts, execution], [true, true, false, 1, 'done']);
      equal(headers['content-type'], 'application/json');
      equal(headers['cache-control'], 'no-store');
      equal(headers['mcp-tx-operation-id'], meta.operationId);
      deepEqual([headers['mcp-tx-attempts'], headers['mcp-tx-ack']], ['1', 'true']);
      equal(headers['idempotent-replayed'], undefined);
      equal(paid('a'), 1);
    },
  },
  {
    id: 'http:replay',
    title: 'a repeat with its key, quoted or bare, gets the same result and runs nothing',
    needs: [],
    async run({ execute, paid }) {
      const replies = [];
      for (const key of ['"key"', 'key', ' "key" ']) replies.push(await execute('pay', { orderId: 'a' }, { key }));
      deepEqual(
        replies.map(({ status }) => status),
        [200, 200, 200],
      );
      equal(new Set(replies.map(({ json }) => JSON.stringify(json.result))).size, 1);
      deepEqual(
        replies.map(({ headers }) => headers['idempotent-replayed']),
        [undefined, 'true', 'true'],
      );
      equal(paid('a'), 1);
    },
  },
  {
    id: 'http:concurrent',
    title: '20 concurrent requests with one key run one call; each gets its result or is told that it is in progress',
    needs: [],
    attack: 59,
    async run({ execute, paid }) {
      const all = Array.from({ length: 20 }, () => execute('slow', { ms: 100, orderId: 'a' }, { key: 'key' }));
      const replies = await Promise.all(all);
      for (const { status } of replies) ok(status === 200 || status === 409, `status ${status}`);
      const results = replies.filter(({ status }) => status === 200).map(({ json }) => JSON.stringify(json.result));
      ok(results.length > 0);
      equal(new Set(results).size, 1);
      for (const { headers } of replies.filter(({ status }) => status === 409))
        match(headers['retry-after'] ?? '', /^\d+$/);
      equal(paid('a'), 1);
    },
  },
  {
    id: 'http:is-error',
    title: 'a tool that ran and said no is 200, also when it is replayed',
    needs: [],
    server: { script: [{ tool: 'pay', fault: { kind: 'is-error', text: 'declined' } }] },
    async run({ execute, paid }) {
      const first = await execute('pay', { orderId: 'a' }, { key: 'key' });
      const second = await execute('pay', { orderId: 'a' }, { key: 'key' });
      deepEqual([first.status, second.status], [200, 200]);
      equal((first.json.result as { isError: boolean }).isError, true);
      deepEqual(second.json.result, first.json.result);
      equal(paid('a'), 1);
    },
  },
  {
    id: 'http:in-doubt',
    title: 'a sent call without an answer is 500 and not retryable, says where to look, and is not sent again',
    needs: [],
    server: { script: [{ tool: 'pay', fault: 'drop-response' }] },
    async run({ execute, send, paid, arrivals, url, server }) {
      const request = { key: 'key', headers: { 'mcp-tx-timeout-ms': '300' } };
      const first = await execute('pay', { orderId: 'a' }, request);
      const { code, execution, retryable, attempts, operationId } = first.json;
      deepEqual([first.status, code, execution, retryable, attempts], [500, 'IN_DOUBT', 'unknown', false, 1]);
      equal(first.headers['content-type'], 'application/problem+json');
      equal(first.headers.location, new URL(`${url}/operations/${operationId}`).pathname);
      ok(first.tookMs < 3_000, `answered after ${first.tookMs} ms`);
      await until('in doubt', async () => (await send(`/operations/${operationId}`)).json.state === 'in_doubt');
      const second = await execute('pay', { orderId: 'a' }, request);
      deepEqual([second.status, second.json.execution], [500, 'unknown']);
      deepEqual([paid('a'), arrivals(), server.faults().counts['drop-response']], [1, 1, 1]);
    },
  },
  {
    id: 'http:unreachable',
    title: 'a server that cannot be reached is 502 and retryable: nothing ran',
    needs: [],
    server: { mode: 'refuse' },
    async run({ execute }) {
      const { status, json } = await execute(
        'pay',
        { orderId: 'a' },
        { key: 'k', headers: { 'mcp-tx-timeout-ms': '1500' } },
      );
      ok(status === 502 || status === 504, `status ${status}`);
      deepEqual([json.execution, json.retryable], ['none', true]);
    },
  },
  {
    id: 'http:read-only',
    title: 'a tool declared read-only needs no key, and no body',
    needs: [],
    async run({ send }) {
      const { status, json } = await send('/execute/read_balance', { method: 'POST' });
      equal(status, 200);
      equal((json.meta as { dedupeScope: string }).dedupeScope, 'call');
    },
  },
  {
    id: 'http:arguments-refused',
    title: 'arguments that the tool’s schema refuses are 422, and nothing is sent',
    needs: [],
    async run({ execute, arrivals }) {
      const { status, json } = await execute('pay', { amount: 'much' }, { key: 'k' });
      deepEqual([status, json.code, json.execution], [422, 'ARGUMENTS_INVALID', 'none']);
      match(String(json.detail), /orderId|amount/);
      equal(arrivals(), 0);
    },
  },
  {
    id: 'http:respond-async',
    title: 'Prefer: respond-async is 202 once the call is recorded; its result is found where Location says',
    needs: [],
    async run({ execute, send, url, paid }) {
      const accepted = await execute(
        'slow',
        { ms: 300, orderId: 'a' },
        { key: 'k', headers: { prefer: 'respond-async' } },
      );
      deepEqual([accepted.status, accepted.headers['preference-applied']], [202, 'respond-async']);
      const { operationId } = accepted.json;
      equal(accepted.headers.location, new URL(`${url}/operations/${operationId}`).pathname);
      const look = () => send(`/operations/${operationId}`);
      notEqual((await look()).json.state, 'completed');
      await until('completed', async () => (await look()).json.state === 'completed');
      const repeat = await execute('slow', { ms: 300, orderId: 'a' }, { key: 'k' });
      deepEqual([repeat.status, repeat.json.result], [200, (await look()).json.result]);
      equal(paid('a'), 1);
    },
  },
  {
    id: 'http:events',
    title: 'Accept: text/event-stream tells progress and then the result',
    needs: ['stream'],
    async run({ execute, paid }) {
      const args = { steps: 3, everyMs: 80, orderId: 'a' };
      const { status, headers, text } = await execute('progress', args, {
        key: 'k',
        headers: { accept: 'text/event-stream' },
      });
      deepEqual([status, headers['content-type']], [200, 'text/event-stream']);
      const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)];
      const names = events.map(([, name]) => name);
      ok(names.filter((name) => name === 'progress').length >= 2, names.join(' '));
      equal(names.at(-1), 'result');
      equal((JSON.parse(events.at(-1)?.[2] ?? '') as { meta: { execution: string } }).meta.execution, 'done');
      equal(paid('a'), 1);
    },
  },
  {
    id: 'http:events-problem',
    title: 'a call that goes wrong ends its events with the problem',
    needs: ['stream'],
    server: { script: [{ tool: 'pay', fault: 'drop-response' }] },
    async run({ execute }) {
      const headers = { accept: 'text/event-stream', 'mcp-tx-timeout-ms': '300' };
      const { status, text } = await execute('pay', { orderId: 'a' }, { key: 'k', headers });
      equal(status, 200);
      const [, data = '{}'] = /^event: problem\ndata: (.*)$/m.exec(text) ?? [];
      const { status: inside, execution } = JSON.parse(data) as { status: number; execution: string };
      deepEqual([inside, execution], [500, 'unknown']);
    },
  },
  {
    id: 'http:detach',
    title: 'a call with a key whose client has gone runs to its end once, and the client finds its result',
    needs: ['disconnect'],
    async run({ execute, paid }) {
      const args = { ms: 400, orderId: 'a' };
      await execute('slow', args, { key: 'k', goneAfterMs: 150 }).catch(() => undefined);
      await until('the effect', () => paid('a') === 1);
      await until(
        'the replay',
        async () => (await execute('slow', args, { key: 'k' })).headers['idempotent-replayed'] === 'true',
      );
      equal(paid('a'), 1);
    },
  },
  {
    id: 'http:drain',
    title: 'a host that is closed answers the call under way first',
    needs: ['drain'],
    async run({ execute, arrivals, close }) {
      const calling = execute('slow', { ms: 400, orderId: 'a' }, { key: 'k' });
      await until('the call', () => arrivals() === 1);
      const [reply] = await Promise.all([calling, close()]);
      equal(reply.status, 200);
    },
  },
];
