/** A tool server, an instance and a place on Redis for one test; all of it ends with the test. */
import type { McpTx, McpTxOptions } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import { http } from '@mcp-tx/core/sdk-v1';
import type { FaultyHttpOptions, FaultyHttpServer } from '@mcp-tx/testing/faulty-server';
import { startFaultyHttpServer } from '@mcp-tx/testing/faulty-server';
import type { Service } from '@mcp-tx/testing/services';
import type { ToolQueue, ToolQueueOptions, ToolWorker, ToolWorkerOptions } from '../../src/index.ts';
import { createToolQueue, createToolWorker } from '../../src/index.ts';
import { newName } from './bullmq-fixture.ts';

/** What a test has. */
export interface Scene extends AsyncDisposable {
  readonly name: string;
  readonly connection: { readonly host: string; readonly port: number };
  readonly server: FaultyHttpServer;
  readonly tx: McpTx;
  openQueue(options?: Partial<ToolQueueOptions>): ToolQueue;
  openWorker(options?: Partial<ToolWorkerOptions>): Promise<ToolWorker>;
  /** How often an order was paid. */
  paid(orderId: string): number;
}

export async function sceneOn(
  redis: Service,
  faults: FaultyHttpOptions = {},
  instance: Partial<McpTxOptions> = {},
): Promise<Scene> {
  const name = newName();
  const connection = { host: redis.host, port: redis.port };
  const server = await startFaultyHttpServer(faults);
  const tx = createMcpTx({
    server: http({ url: server.url }),
    name,
    timeoutMs: 5_000,
    settleGraceMs: 200,
    ...instance,
  });
  const open: { close(): Promise<void> }[] = [];
  return {
    ...{ name, connection, server, tx },
    openQueue(options) {
      const queue = createToolQueue({ name, connection, ...options });
      open.push(queue);
      return queue;
    },
    async openWorker(options) {
      const retryLater = { baseDelayMs: 20, maxDelayMs: 50 };
      const tools = ['pay', 'slow', 'append', 'read_balance', 'typed', 'progress'];
      const worker = createToolWorker({ name, connection, client: tx, tools, graceMs: 300, retryLater, ...options });
      open.push(worker);
      await worker.worker.waitUntilReady();
      return worker;
    },
    paid: (orderId) => server.effects().filter(({ args }) => args.orderId === orderId).length,
    async [Symbol.asyncDispose]() {
      for (const one of open.reverse()) await one.close();
      await tx.close({ graceMs: 0 });
      await server.close();
    },
  };
}

/** Waits until something holds. @throws Error when it does not within 10 s */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: not in time`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
