/** The fixture of the job contract on RabbitMQ: queues of its own for each case, outages by killing the broker. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobReply } from '@mcp-tx/core/job';
import { problemOf } from '@mcp-tx/core/job';
import type { DeadLetter, JobHostFixture, JobHostSetup, RunningJobHost } from '@mcp-tx/testing/job-contract';
import type { RabbitmqService, TcpProxy } from '@mcp-tx/testing/services';
import { startTcpProxy } from '@mcp-tx/testing/services';
import type { ToolReply, ToolWorker } from '../../src/index.ts';
import { createToolClient, createToolWorker, deadLetterProblem } from '../../src/index.ts';
import { Eyes, newQueues, urlOf } from './broker.ts';

const RETRY_DELAYS_MS = [50, 100, 400];

export function rabbitmqHost(service: RabbitmqService): JobHostFixture {
  return {
    can: ['cut', 'outage'],
    async start(setup) {
      const host = new RabbitmqHost(service, setup);
      await host.start();
      return host;
    },
  };
}

class RabbitmqHost implements RunningJobHost {
  readonly #service: RabbitmqService;
  readonly #setup: JobHostSetup;
  readonly #queues = newQueues();
  readonly #eyes: Eyes;
  readonly #producer: ReturnType<typeof createToolClient>;
  readonly #replies = new Map<string, PromiseWithResolvers<JobReply>>();
  readonly #dead: DeadLetter[] = [];
  #stopReading: (() => Promise<void>) | undefined;
  #worker: ToolWorker | undefined;
  #proxy: TcpProxy | undefined;

  constructor(service: RabbitmqService, setup: JobHostSetup) {
    this.#service = service;
    this.#setup = setup;
    this.#eyes = new Eyes(service);
    this.#producer = createToolClient({ url: service.url, ...this.#queues });
  }

  async start(): Promise<void> {
    await this.startWorker();
    this.#stopReading = await this.#producer.readReplies((reply) => this.#hear(reply));
  }

  async enqueue(...[tool, args, options]: Parameters<RunningJobHost['enqueue']>): Promise<string> {
    return (await this.#producer.enqueue(tool, args, { ...options, reply: true })).correlationId;
  }

  async inject(body: unknown): Promise<string> {
    const messageId = randomUUID();
    await this.#eyes.put(this.#queues.requests, JSON.stringify(body), { messageId, correlationId: messageId });
    return messageId;
  }

  endOf(ticket: string): Promise<JobReply> {
    return this.#replyOf(ticket).promise;
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    for (const message of await this.#eyes.drain(`${this.#queues.requests}.dead`)) {
      const problem = deadLetterProblem(message);
      if (problem !== undefined) this.#dead.push({ ticket: String(message.properties.correlationId), problem });
    }
    return this.#dead;
  }

  /** Queues are counted one after the other, and a message may move meanwhile: two equal counts are believed. */
  async pending(): Promise<number> {
    for (let last = await this.#count(); ; ) {
      await sleep(5);
      const now = await this.#count();
      if (now === last) return now;
      last = now;
    }
  }

  async startWorker(): Promise<void> {
    const { concurrency: prefetch, ...setup } = this.#setup;
    this.#proxy = await startTcpProxy(this.#service.port);
    const where = { url: urlOf(this.#proxy), ...this.#queues, retryDelaysMs: RETRY_DELAYS_MS };
    this.#worker = createToolWorker({ ...where, ...setup, prefetch });
    await this.#worker.start();
  }

  async stopWorker(): Promise<void> {
    await this.#worker?.close();
    await this.#proxy?.close();
  }

  async cutWorker(): Promise<void> {
    await this.#proxy?.close();
    await this.#worker?.close();
  }

  async breakBroker(): Promise<void> {
    await this.#service.kill();
    await this.#service.restart();
  }

  async close(): Promise<void> {
    await this.stopWorker();
    await this.#stopReading?.();
    await this.#producer.close();
    await this.#eyes.close();
  }

  async #count(): Promise<number> {
    const { requests } = this.#queues;
    const queues = [requests, `${requests}.again`, ...RETRY_DELAYS_MS.map((delayMs) => `${requests}.retry.${delayMs}`)];
    let total = this.#worker?.health().inFlight ?? 0;
    for (const queue of queues) total += await this.#eyes.ready(queue);
    return total;
  }

  #hear(reply: ToolReply): void {
    const { correlationId } = reply;
    const said: JobReply = reply.ok
      ? { v: 1, ok: true, result: reply.result, meta: reply.meta }
      : { v: 1, ok: false, problem: problemOf(reply.error) };
    this.#replyOf(correlationId).resolve(said);
  }

  #replyOf(ticket: string): PromiseWithResolvers<JobReply> {
    const reply = this.#replies.get(ticket) ?? Promise.withResolvers<JobReply>();
    this.#replies.set(ticket, reply);
    return reply;
  }
}
