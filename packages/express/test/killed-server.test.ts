import { setTimeout as sleep } from 'node:timers/promises';
import { createMcpTx } from '@mcp-tx/core';
import { stdio } from '@mcp-tx/core/sdk-v1';
import { faultyStdio } from '@mcp-tx/testing/faulty-server';
import express from 'express';
import { expect, it } from 'vitest';
import { createMcpTxRouter } from '../src/index.ts';
import { listen } from './support/app.ts';

it('a tool server killed under load: no 5xx without a problem, nobody waits past the deadline, nothing runs twice', async () => {
  const server = faultyStdio();
  await using tx = createMcpTx({ name: 'payments', server: stdio(server), timeoutMs: 3_000, settleGraceMs: 100 });
  await tx.initialize();
  const router = createMcpTxRouter({ client: tx, authenticate: 'single-tenant', tools: '*' });
  await using listening = await listen(express().use('/mcp', router));
  const call = async (n: number) => {
    const startedAt = performance.now();
    const reply = await fetch(`${listening.url}/mcp/execute/slow`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': `k${n}` },
      body: JSON.stringify({ arguments: { ms: 50, orderId: `o${n}` } }),
    });
    const body = (await reply.json()) as { code?: string; execution?: string; retryable?: boolean };
    const type = reply.headers.get('content-type');
    return { n, status: reply.status, type, body, tookMs: performance.now() - startedAt };
  };
  const calls: ReturnType<typeof call>[] = [];
  const pids = () => [...new Set(server.effects().map(({ pid }) => pid))];
  let killed = 0;
  for (let n = 0; n < 120; n += 1) {
    calls.push(call(n));
    await sleep(10);
    const latest = pids().at(-1);
    if ((n === 40 || n === 80) && latest !== undefined) {
      process.kill(latest, 'SIGKILL');
      killed += 1;
    }
  }
  const replies = await Promise.all(calls);
  expect([killed, pids().length]).toEqual([2, 3]);
  for (const { n, status, type, body, tookMs } of replies) {
    const effects = server.effects().filter(({ args }) => args.orderId === `o${n}`).length;
    expect(effects).toBeLessThanOrEqual(1);
    expect(tookMs).toBeLessThan(4_000);
    if (status === 200) expect(effects).toBe(1);
    else
      expect([type, status === 500, body.execution === 'unknown']).toEqual([
        'application/problem+json',
        !body.retryable,
        !body.retryable,
      ]);
    if (body.execution === 'none') expect(effects).toBe(0);
  }
  const inDoubt = replies.filter(({ body }) => body.code === 'IN_DOUBT').length;
  expect(inDoubt).toBeGreaterThan(0); // kills that hit nothing prove nothing
  expect((await tx.listOperations({ states: ['in_doubt'] })).records).toHaveLength(inDoubt);
}, 30_000);
