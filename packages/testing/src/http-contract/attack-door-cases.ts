/** Rows of the attack list about doors: which tools, which pages, which names, which connections, and what leaks. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../until.ts';
import type { HttpCase } from './fixture.ts';
import { sendBytes } from './send.ts';

const order = { orderId: 'a' };

export const attackDoorCases: readonly HttpCase[] = [
  {
    id: 'http:attack-tools',
    title:
      'a tool that is not listed, not for this principal, or not there at all is one and the same 404, and nothing is sent [G:I16]',
    attack: 21,
    needs: [],
    async run({ execute, send, arrivals }) {
      const names = [
        'echo',
        'absent',
        'PAY',
        'pay.',
        'pay%20',
        'a%2F..%2Fpay',
        '%D1%80ay',
        'pay%00',
        '__proto__',
        'constructor',
      ];
      const replies = [];
      for (const name of names) replies.push(await execute(name, order, { key: 'k', as: 'bob' }));
      replies.push(await execute('append', order, { key: 'k', as: 'bob' }));
      deepEqual(
        replies.map(({ status }) => status),
        replies.map(() => 404),
      );
      equal(new Set(replies.map(({ text }) => text)).size, 1);
      equal(new Set(replies.map(({ headers }) => Object.keys(headers).sort().join())).size, 1);
      equal((await send('/execute/%E0%A4%A', { method: 'POST', body: {}, key: 'k' })).status, 400);
      equal(arrivals(), 0);
    },
  },
  {
    id: 'http:attack-origins',
    title: 'a web page of another origin is 403',
    attack: 24,
    needs: [],
    async run({ execute, send, arrivals, url }) {
      for (const origin of ['https://evil.example', 'null', `http://${new URL(url).host}.evil.example`, '']) {
        const { status } = await execute('pay', order, { key: 'k', headers: { origin } });
        deepEqual([origin, status], [origin, 403]);
        equal((await send('/operations', { headers: { origin } })).status, 403);
      }
      equal(arrivals(), 0);
      equal((await execute('pay', order, { key: 'k', headers: { origin: new URL(url).origin } })).status, 200);
    },
  },
  {
    id: 'http:attack-rebinding',
    title: 'without authentication only loopback names are answered',
    attack: 25,
    needs: ['socket'],
    profile: { authenticate: 'single-tenant' },
    async run({ execute, send, arrivals }) {
      for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1']) {
        const { status } = await execute('pay', order, { key: 'k', headers: { host } });
        deepEqual([host, status], [host, 421]);
        ok((await send('/operations', { headers: { host } })).status >= 400);
      }
      equal(arrivals(), 0);
      equal((await execute('pay', order, { key: 'k', headers: { host: 'localhost:1' } })).status, 200);
    },
  },
  {
    id: 'http:attack-preflight',
    title: 'a preflight of another origin gets no permission',
    attack: 27,
    needs: [],
    async run({ send }) {
      const headers = {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'idempotency-key',
      };
      const reply = await send('/execute/pay', { method: 'OPTIONS', headers, as: null });
      deepEqual(
        Object.keys(reply.headers).filter((name) => name.startsWith('access-control-')),
        [],
      );
    },
  },
  {
    id: 'http:attack-tokens',
    title: 'no token, a wrong one and one in the URL are 401, and nothing is sent',
    attack: 30,
    needs: [],
    async run({ execute, send, arrivals }) {
      for (const authorization of [
        '',
        'Bearer',
        'Bearer of-mallory',
        'Basic of-alice',
        'bearer of-alice',
        'of-alice',
      ]) {
        const { status, headers } = await execute('pay', order, { key: 'k', as: null, headers: { authorization } });
        deepEqual([authorization, status, headers['www-authenticate']], [authorization, 401, 'Bearer']);
      }
      const inUrl = await send('/execute/pay?authorization=Bearer%20of-alice', {
        method: 'POST',
        as: null,
        key: 'k',
        body: {},
      });
      equal(inUrl.status, 401);
      equal((await send('/operations', { as: null })).status, 401);
      equal(arrivals(), 0);
    },
  },
  {
    id: 'http:attack-leaks',
    title: 'what the server and the caller said is not repeated in a problem',
    attack: 53,
    needs: [],
    server: {
      script: [
        {
          tool: 'pay',
          fault: { kind: 'json-rpc-error', code: -32_602, message: 'canary-server', data: 'canary-data' },
        },
      ],
    },
    async run({ execute, send }) {
      const args = { orderId: 'a', secret: 'canary-arguments' };
      const reply = await execute('pay', args, { key: 'k' });
      ok(reply.status >= 400);
      const list = await send('/operations');
      for (const text of [reply.text, JSON.stringify(reply.headers), list.text]) ok(!text.includes('canary'), text);
    },
  },
  {
    id: 'http:attack-slow-body',
    title: 'a body that never ends is 408, and others are answered meanwhile',
    attack: 61,
    needs: ['socket'],
    profile: { limits: { bodyTimeoutMs: 500 } },
    async run({ url, send, arrivals }) {
      const { pathname, host } = new URL(url);
      const head = `POST ${pathname}/execute/pay HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer of-alice\r\nidempotency-key: k\r\n`;
      const body = 'content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n';
      const startedAt = performance.now();
      const slow = sendBytes(url, `${head}${body}`, 8_000);
      await sleep(100);
      const live = await send('/livez');
      ok(live.status === 200 && live.tookMs < 1_000, `livez after ${live.tookMs} ms`);
      match(await slow, /^HTTP\/1\.1 408 /);
      ok(performance.now() - startedAt < 6_000);
      equal(arrivals(), 0);
    },
  },
  {
    id: 'http:attack-smuggling',
    title: 'requests that two parsers divide differently are 400 or cut off, and nothing is sent',
    attack: 63,
    needs: ['socket'],
    async run({ url, arrivals, execute }) {
      const { pathname, host } = new URL(url);
      const hidden = `POST ${pathname}/execute/pay HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer of-alice\r\nidempotency-key: hidden\r\ncontent-type: application/json\r\ncontent-length: 29\r\n\r\n{"arguments":{"orderId":"h"}}`;
      const head = `POST ${pathname}/livez HTTP/1.1\r\nhost: ${host}\r\n`;
      const length = `content-length: ${hidden.length + 5}\r\n`;
      const pairs = {
        'chunked and a length': `${head}${length}transfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
        'two lengths': `${head}content-length: 0\r\n${length}\r\n${hidden}`,
        'a folded header': `${head}transfer-encoding:\r\n chunked\r\n${length}\r\n0\r\n\r\n${hidden}`,
        'a strange coding': `${head}transfer-encoding: xchunked\r\n${length}\r\n0\r\n\r\n${hidden}`,
      };
      for (const [what, text] of Object.entries(pairs)) {
        const got = await sendBytes(url, text, 400);
        ok(!/^HTTP\/1\.1 2/m.test(got), `${what}: ${got.slice(0, 60)}`);
      }
      equal(arrivals(), 0);
      equal((await execute('pay', order, { key: 'k' })).status, 200);
    },
  },
  {
    id: 'http:attack-server-down',
    title: 'a server that dies under load leaves no 5xx without a problem, and nobody waiting',
    needs: [],
    profile: { timeoutMs: 1_000 },
    async run({ execute, server, arrivals }) {
      const calls = Array.from({ length: 30 }, (_, n) =>
        execute('slow', { ms: 300, orderId: `o${n}` }, { key: `k${n}` }),
      );
      await until('calls under way', () => arrivals() > 0);
      await server.close();
      for (const { status, headers, json, tookMs } of await Promise.all(calls)) {
        if (status === 200) continue;
        ok(status >= 500, `status ${status}`);
        equal(headers['content-type'], 'application/problem+json');
        ok(['none', 'unknown'].includes(String(json.execution)), String(json.execution));
        ok(tookMs < 4_000, `answered after ${tookMs} ms`);
      }
    },
  },
];
