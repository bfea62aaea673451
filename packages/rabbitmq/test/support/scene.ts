/** A queue with everything around it: a tool server, an instance, a worker, clients; ended together, in reverse. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpTxOptions } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import type { JobEnd } from '@mcp-tx/core/job';
import { http } from '@mcp-tx/core/sdk-v1';
import type { FaultyHttpOptions } from '@mcp-tx/testing/faulty-server';
import { startFaultyHttpServer } from '@mcp-tx/testing/faulty-server';
import type { RabbitmqService } from '@mcp-tx/testing/services';
import type { ToolClientOptions, ToolWorkerOptions } from '../../src/index.ts';
import { createToolClient, createToolWorker } from '../../src/index.ts';
import { Eyes, newQueues } from './broker.ts';

/** What a test says of its scene. */
export interface SceneOptions {
  readonly server?: FaultyHttpOptions;
  readonly instance?: Partial<McpTxOptions>;
  readonly worker?: Partial<ToolWorkerOptions>;
  /** Names, form and kind of the queues, for everybody. */
  readonly queues?: Partial<ToolClientOptions>;
}

/** Waits until something holds. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, ms = 8_000): Promise<void> {
  const endsAt = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(10);
  }
}

/** Makes a scene; `worker()` starts one. */
export async function sceneOn(service: RabbitmqService, options: SceneOptions = {}) {
  const stack = new AsyncDisposableStack();
  const where = { url: service.url, ...newQueues(), ...options.queues };
  const faulty = stack.use(await startFaultyHttpServer(options.server));
  const server = http({ url: faulty.url });
  const tx = createMcpTx({ server, timeoutMs: 5_000, settleGraceMs: 100, breaker: false, ...options.instance });
  stack.defer(() => tx.close({ graceMs: 0 }));
  const eyes = stack.use(new Eyes(service));
  const ends: JobEnd[] = [];
  const onEnd = (end: JobEnd): void => void ends.push(end);
  const tools = ['pay', 'slow', 'append'];
  return {
    ...{ where, faulty, tx, eyes, ends },
    dead: `${where.requests}.dead`,
    client: (more: Partial<ToolClientOptions> = {}) => stack.use(createToolClient({ ...where, ...more })),
    async worker(more: Partial<ToolWorkerOptions> = {}) {
      const worker = createToolWorker({ ...where, client: tx, tools, graceMs: 500, onEnd, ...options.worker, ...more });
      stack.use(worker);
      await worker.start();
      return worker;
    },
    arrivals: () => faulty.faults().arrivals.length,
    paid: (orderId: string) => faulty.effects().filter(({ args }) => args.orderId === orderId).length,
    close: () => stack.disposeAsync(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
