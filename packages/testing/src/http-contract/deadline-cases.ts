/** Cases of deadlines: what a client may ask for, and what it gets when there is too little time. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { HttpCase } from './fixture.ts';

export const deadlineCases: readonly HttpCase[] = [
  {
    id: 'http:deadline-before-send',
    title: 'a deadline that passes before anything was sent is 504: nothing ran',
    needs: [],
    server: { mode: 'silent' },
    async run({ execute }) {
      const { status, json, tookMs } = await execute(
        'pay',
        { orderId: 'a' },
        { key: 'k', headers: { 'mcp-tx-timeout-ms': '300' } },
      );
      deepEqual([status, json.code, json.execution, json.retryable], [504, 'DEADLINE_EXCEEDED', 'none', true]);
      ok(tookMs >= 290 && tookMs < 3_000, `answered after ${tookMs} ms`);
    },
  },
  {
    id: 'http:prefer-wait',
    title: 'Prefer: wait is a deadline in seconds',
    needs: [],
    async run({ execute }) {
      const { status, json, tookMs } = await execute(
        'slow',
        { ms: 4_000 },
        { key: 'k', headers: { prefer: 'wait=1' } },
      );
      deepEqual([status, json.execution], [500, 'unknown']);
      ok(tookMs >= 990 && tookMs < 3_500, `answered after ${tookMs} ms`);
    },
  },
  {
    id: 'http:deadline-maximum',
    title: 'no client gets more time than the server allows',
    needs: [],
    profile: { deadline: { maxMs: 300 } },
    async run({ execute }) {
      const asks = { key: 'k', headers: { 'mcp-tx-timeout-ms': '60000', prefer: 'wait=60' } };
      const { status, tookMs } = await execute('slow', { ms: 4_000 }, asks);
      equal(status, 500);
      ok(tookMs < 3_000, `answered after ${tookMs} ms`);
    },
  },
  {
    id: 'http:deadline-malformed',
    title: 'a deadline that is no positive whole number is 400, and a preference that means nothing is none',
    needs: [],
    async run({ execute, arrivals }) {
      for (const value of ['0', '-1', '1.5', 'soon', '1e3', '99999999999']) {
        const { status, json } = await execute(
          'pay',
          { orderId: 'a' },
          { key: 'k', headers: { 'mcp-tx-timeout-ms': value } },
        );
        deepEqual([value, status, json.code], [value, 400, 'REQUEST_INVALID']);
      }
      equal(arrivals(), 0);
      equal(
        (await execute('pay', { orderId: 'a' }, { key: 'k', headers: { prefer: 'wait=soon, handling=lenient' } }))
          .status,
        200,
      );
    },
  },
];
