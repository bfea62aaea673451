// A processor of Nest's as the guide has it: @nestjs/bullmq makes the worker, this package runs its jobs.
import 'reflect-metadata';
import type { McpTx } from '@mcp-tx/core';
import type { Service } from '@mcp-tx/testing/services';
import { startRedis } from '@mcp-tx/testing/services';
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { Inject, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Job } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ToolProcessor } from '../src/index.ts';
import { superviseWorker, toolProcessor } from '../src/index.ts';
import { sceneOn, until } from './support/worker-over.ts';

let redis: Service;
beforeAll(async () => {
  redis = await startRedis();
}, 60_000);
afterAll(() => redis.stop());

const TX = Symbol('client');

@Processor('nest', { concurrency: 4 })
class ToolsProcessor extends WorkerHost implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #run: ToolProcessor;
  #close: (() => Promise<void>) | undefined;

  constructor(@Inject(TX) client: McpTx) {
    super();
    this.#run = toolProcessor(client, { tools: ['pay', 'slow'] });
  }

  process(job: Job, token?: string, signal?: AbortSignal): ReturnType<ToolProcessor> {
    return this.#run(job, token, signal); // three parameters: with fewer BullMQ gives no signal
  }

  onApplicationBootstrap(): void {
    this.#close = superviseWorker(this.worker, { graceMs: 200 });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#close?.();
  }
}

it('a processor of Nest’s runs jobs, and puts a hung one back when the application closes', async () => {
  await using scene = await sceneOn(redis);
  const queue = scene.openQueue({ name: 'nest' });
  @Module({
    imports: [BullModule.forRoot({ connection: scene.connection }), BullModule.registerQueue({ name: 'nest' })],
    providers: [{ provide: TX, useValue: scene.tx }, ToolsProcessor],
  })
  class AppModule {}
  const app = (await Test.createTestingModule({ imports: [AppModule] }).compile()).createNestApplication({
    logger: false,
  });
  await app.init();

  const { jobId } = await queue.enqueue('pay', { orderId: 'a' }, { idempotencyKey: 'order:a' });
  expect((await queue.result(jobId)).meta.attempts).toBe(1);
  const hung = await queue.enqueue('slow', { ms: 3_000, orderId: 'b' });
  await until('the call', () => scene.server.faults().arrivals.length === 2);
  const startedAt = performance.now();
  await app.close();
  expect(performance.now() - startedAt).toBeLessThan(2_500);
  expect(await (await queue.queue.getJob(hung.jobId))?.getState()).toBe('waiting');
  expect(scene.paid('a')).toBe(1);
});
