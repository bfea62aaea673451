import type { McpTxOptions } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import { http as httpV1 } from '@mcp-tx/core/sdk-v1';
import { http as httpV2 } from '@mcp-tx/core/sdk-v2';
import { describe, expect, it } from 'vitest';
import type { FaultName } from '../src/faulty-server.ts';
import { startFaultyHttpServer } from '../src/faulty-server.ts';
import type { Expected } from './support/outcome-rows.ts';
import {
  callOnce,
  expectRow,
  lost,
  rejected,
  retried,
  silent,
  timeoutFor,
  unclear,
  unusable,
} from './support/outcome-rows.ts';

type Fault = FaultName | { readonly kind: string; readonly [key: string]: unknown };
const status = (code: number, more: object = {}): Fault => ({ kind: 'status', status: code, ...more });

const rows: [Fault, Expected, Partial<McpTxOptions>?][] = [
  ['drop-request', silent(0)],
  ['drop-response', silent(1)],
  ['stall-headers', silent(1)],
  ['reset', lost(1)],
  [{ kind: 'reset', when: 'before' }, lost(0)],
  ['close-before-headers', lost(1)],
  ['cut-json', lost(1)],
  ['cut-sse', lost(1)],
  ['end-sse', lost(1)],
  ['accepted-202', lost(1)],
  ['no-content-204', lost(1)],
  ['wrong-content-type', lost(1)],
  ['invalid-json-200', unusable],
  ['cut-sse-resumable', { class: 'completed', ends: 'ok', effects: 1, attempts: 1 }],
  ['expire-session', retried('rejected-session')],
  [status(401), retried('rejected-auth')],
  [status(403), retried('rejected-auth')],
  [status(429, { retryAfter: 0 }), retried('rejected-busy')],
  [status(429), { ...unclear(0) }, { busyMeansNotRun: false }],
  [status(503, { retryAfter: 0 }), unclear(0)],
  [status(503, { retryAfter: 0 }), retried('rejected-busy'), { unavailableMeansNotRun: true }],
  [status(503), unclear(0), { unavailableMeansNotRun: true }],
  [status(400), rejected],
  [status(405), rejected],
  [status(406), rejected],
  [status(413), rejected],
  [status(415), rejected],
  [status(422), rejected],
  [status(431), rejected],
  [status(307), rejected],
  [status(408), unclear(0)],
  [status(500), unclear(0)],
  [status(502), unclear(0)],
  [status(504), unclear(0)],
  [{ kind: 'json-rpc-error', code: -32_603, message: 'internal', when: 'after' }, unclear(1)],
  [{ kind: 'json-rpc-error', code: -32_601, message: 'Method not found', when: 'before' }, rejected],
];

describe.each([
  ['SDK v1', httpV1],
  ['SDK v2', httpV2],
] as const)('over Streamable HTTP with %s', { timeout: 40_000 }, (_line, http) => {
  it.concurrent.each(rows)('%j', async (fault, expected, options = {}) => {
    await using server = await startFaultyHttpServer({ script: [{ tool: 'pay', at: 1, fault: fault as FaultName }] });
    const retry = { baseDelayMs: 10 };
    await using tx = createMcpTx({
      server: http({ url: server.url }),
      timeoutMs: timeoutFor(expected),
      settleGraceMs: 50,
      retry,
      ...options,
    });
    await tx.initialize();
    const seen = await callOnce(tx);
    expectRow(expected, seen, server.effects().length);
    const next = await tx.callTool(
      'pay',
      { orderId: 'next', amount: 1 },
      { idempotencyKey: 'next', timeoutMs: 10_000 },
    );
    expect(next.meta.execution).toBe('done');
    expect(server.faults().unusedSteps).toEqual([]);
    expect(server.faults().injected.length).toBeGreaterThan(0);
    await tx.close({ graceMs: 0 });
  });

  it('nothing listens there: not sent, and the key is given back', async () => {
    const server = await startFaultyHttpServer({});
    await using tx = createMcpTx({
      server: http({ url: server.url }),
      timeoutMs: 2_000,
      retry: { baseDelayMs: 10 },
      probeIfIdleMs: 0,
    });
    await tx.initialize();
    await server.close();
    const outcome = await tx.tryCallTool('pay', { orderId: 'a', amount: 1 }, { idempotencyKey: 'a' });
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'CONNECTION_FAILED', execution: 'none', retryable: true },
    });
    const page = await tx.listOperations({ states: ['sent', 'in_doubt'] });
    expect(page.records).toEqual([]);
  });

  it('a stream that ends without the answer is noticed in milliseconds, not at the deadline', async () => {
    await using server = await startFaultyHttpServer({ script: [{ tool: 'pay', at: 1, fault: 'end-sse' }] });
    await using tx = createMcpTx({ server: http({ url: server.url }), timeoutMs: 30_000 });
    await tx.initialize();
    const startedAt = performance.now();
    await tx.tryCallTool('pay', { orderId: 'a', amount: 1 });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
