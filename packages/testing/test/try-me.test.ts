import { createMcpTx } from '@mcp-tx/core';
import { http, stdio } from '@mcp-tx/core/sdk-v1';
import { http as http2, stdio as stdio2 } from '@mcp-tx/core/sdk-v2';
import { expect, it } from 'vitest';
import { faultyStdio, startFaultyHttpServer } from '../src/faulty-server.ts';

for (const [name, open] of [
  ['v1', stdio],
  ['v2', stdio2],
] as const) {
  it(`stdio ${name}`, async () => {
    for (const fault of [
      'drop-response',
      'drop-request',
      'exit-before',
      'exit-after',
      'double-answer',
      'garbage',
      'huge-result',
      'no-content',
      'task-result',
      'is-error',
      'close-stdout',
      'half-line',
    ] as const) {
      const server = faultyStdio({ script: [{ tool: 'pay', at: 1, fault }] });
      const tx = createMcpTx({ server: open(server), timeoutMs: 600, settleGraceMs: 50, connectTimeoutMs: 4000 });
      await tx.initialize();
      const started = Date.now();
      const r = await tx.tryCallTool('pay', { orderId: 'a', amount: 1 }, { idempotencyKey: 'k1' });
      const r2 = await tx.tryCallTool('pay', { orderId: 'b', amount: 1 }, { idempotencyKey: 'k2' });
      const rr = (r: typeof r2) =>
        r.ok ? `ok ${r.meta.attempts}` : `${r.error.code} ${r.error.reason} ${r.error.execution} ${r.error.message}`;
      console.log(
        name,
        fault,
        Date.now() - started,
        rr(r),
        '|',
        rr(r2),
        '| effects',
        server.effects().length,
        JSON.stringify(server.faults().injected?.length),
      );
      await tx.close({ graceMs: 100 });
    }
  }, 60000);
}
for (const [name, open] of [
  ['v1', http],
  ['v2', http2],
] as const) {
  it(`http ${name}`, async () => {
    for (const fault of [
      'drop-response',
      { kind: 'status', status: 429, retryAfter: 1 },
      { kind: 'status', status: 503 },
      { kind: 'status', status: 400 },
      { kind: 'status', status: 404 },
      { kind: 'status', status: 401 },
      'expire-session',
      'reset',
      'cut-json',
      'cut-sse',
      'end-sse',
      'cut-sse-resumable',
      'accepted-202',
      'no-content-204',
      'wrong-content-type',
      'invalid-json-200',
      'close-before-headers',
      'stall-headers',
    ] as const) {
      const server = await startFaultyHttpServer({ script: [{ tool: 'pay', at: 1, fault: fault as never }] });
      const tx = createMcpTx({
        server: open({ url: server.url }),
        timeoutMs: 1500,
        settleGraceMs: 50,
        retry: { baseDelayMs: 10 },
      });
      await tx.initialize();
      const started = Date.now();
      const r = await tx.tryCallTool('pay', { orderId: 'a', amount: 1 }, { idempotencyKey: 'k1' });
      const rr = (r: never) =>
        (r as any).ok
          ? `ok ${(r as any).meta.attempts}`
          : `${(r as any).error.code} ${(r as any).error.reason} ${(r as any).error.execution} ${(r as any).error.message}`;
      const t = Date.now() - started;
      const r2 = await tx.tryCallTool('pay', { orderId: 'b', amount: 1 }, { idempotencyKey: 'k2' });
      console.log(
        name,
        JSON.stringify(fault),
        t,
        rr(r as never),
        '|',
        rr(r2 as never),
        '| effects',
        server.effects().length,
      );
      await tx.close({ graceMs: 100 });
      await server.close();
    }
  }, 60000);
}
