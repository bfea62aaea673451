// A pool of real SDK clients over real children: how many there are, and what becomes of them, is asked of the operating system.
import { existsSync, readFileSync } from 'node:fs';
import type { McpTx, Pool } from '@mcp-tx/core';
import { createMcpTx, createPool, memoryLedger } from '@mcp-tx/core';
import { stdio as stdioV1 } from '@mcp-tx/core/sdk-v1';
import { stdio as stdioV2 } from '@mcp-tx/core/sdk-v2';
import { describe, expect, it } from 'vitest';
import { faultyStdio } from '../src/faulty-server.ts';

const MAX = 2;

function poolOf(connect: typeof stdioV1, more: object = {}) {
  const server = faultyStdio();
  const ledger = memoryLedger();
  const made = { count: 0, failing: false };
  const pool: Pool<McpTx> = createPool({
    max: MAX,
    pingIfIdleMs: 0,
    create: async () => {
      made.count += 1;
      const command = made.failing ? { command: '/nonexistent/server' } : server;
      const tx = createMcpTx({
        name: 'pay',
        server: connect({ ...command, stderr: 'ignore' }),
        ledger,
        connectTimeoutMs: 5_000,
      });
      try {
        await tx.initialize();
        return tx;
      } catch (error) {
        await tx.close({ graceMs: 0 });
        throw error;
      }
    },
    ...more,
  });
  const pay = (orderId: string): Promise<number> =>
    pool.use(async (tx) => {
      await tx.callTool('pay', { orderId, amount: 1 }, { idempotencyKey: orderId });
      return server.effects().find(({ args }) => args.orderId === orderId)?.pid ?? 0;
    });
  const pids = (): readonly number[] => [...new Set(server.effects().map(({ pid }) => pid))];
  return { server, pool, made, pay, pids };
}

/** Whether the operating system has it running; one that was killed and not waited for yet is not. */
function isRunning(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/^\d+ \(.*\) Z/.test(readFileSync(stat, 'utf8'));
}

describe.each([
  ['SDK v1', stdioV1],
  ['SDK v2', stdioV2],
] as const)('with %s, a pool', { timeout: 30_000 }, (_line, connect) => {
  it('starts no more children than its maximum for 40 callers at once, and each call has one effect (T27)', async () => {
    const { server, pool, made, pay, pids } = poolOf(connect);
    const orders = Array.from({ length: 40 }, (_, n) => `order ${n}`);
    await Promise.all(orders.map(pay));
    expect(
      server
        .effects()
        .map(({ args }) => args.orderId)
        .sort(),
    ).toEqual([...orders].sort());
    expect(made.count).toBeLessThanOrEqual(MAX);
    expect(pids().length).toBeLessThanOrEqual(made.count); // the first may be done before the second is up
    expect(pids().filter(isRunning)).toHaveLength(pids().length);
    await pool.close();
    await expect.poll(() => pids().filter(isRunning)).toEqual([]);
  });

  it('tells who waits that a child cannot be started, and has its place free for the next (T28)', async () => {
    const { pool, made, pay, server } = poolOf(connect);
    made.failing = true;
    await expect(pay('a')).rejects.toMatchObject({ code: 'CONNECTION_FAILED', execution: 'none' });
    made.failing = false;
    await Promise.all([pay('b'), pay('c')]);
    expect(server.effects()).toHaveLength(2);
    await pool.close();
  });

  it('lends in place of a killed child another one, and the borrower notices nothing (T29)', async () => {
    const { server, pool, pay } = poolOf(connect);
    const first = await pay('a');
    process.kill(first, 'SIGKILL');
    await expect.poll(() => isRunning(first)).toBe(false);
    const second = await pay('b');
    expect(second).not.toBe(first);
    expect(server.effects().map(({ args }) => args.orderId)).toEqual(['a', 'b']);
    await pool.close();
    await expect.poll(() => isRunning(second)).toBe(false);
  });

  it('lets who aborts leave the line, and starts no child for them (T30)', async () => {
    const { pool, made, pay } = poolOf(connect, { max: 1 });
    await using lent = await pool.acquire();
    const abort = new AbortController();
    const waiting = pool.use(async () => undefined, { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', execution: 'none' });
    await lent.release();
    await pay('a');
    expect(made.count).toBe(1);
    await pool.close();
  });
});
