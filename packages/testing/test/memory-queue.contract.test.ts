import { setTimeout as sleep } from 'node:timers/promises';
import type { JobReply, ToolJob } from '@mcp-tx/core/job';
import { createToolJob, problemOf, readToolJob, refuseJob, replyOf, runJob } from '@mcp-tx/core/job';
import type { DeadLetter, JobHostFixture, JobHostSetup, RunningJobHost } from '../src/job-contract.ts';
import { describeJobContract } from '../src/vitest.ts';

interface Message {
  readonly ticket: string;
  readonly body: string;
  returns: number;
  notBefore: number;
}

/** A queue that is an array: what the contract says of every host, without any broker. */
class MemoryQueue implements RunningJobHost {
  readonly #setup: JobHostSetup;
  readonly #queue: Message[] = [];
  readonly #replies = new Map<string, PromiseWithResolvers<JobReply>>();
  readonly #dead: DeadLetter[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #stop = new AbortController();
  #isStopping = false;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(setup: JobHostSetup) {
    this.#setup = setup;
  }

  async enqueue(...call: Parameters<RunningJobHost['enqueue']>): Promise<string> {
    return this.#put(JSON.stringify(createToolJob(...call)));
  }

  async inject(body: unknown): Promise<string> {
    return this.#put(JSON.stringify(body));
  }

  async endOf(ticket: string): Promise<JobReply> {
    return this.#replyOf(ticket).promise;
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    return this.#dead;
  }

  async pending(): Promise<number> {
    return this.#queue.length + this.#underWay.size;
  }

  async startWorker(): Promise<void> {
    this.#isStopping = false;
    this.#stop = new AbortController();
    this.#timer = setInterval(() => this.#take(this.#stop.signal), 5);
  }

  async stopWorker(): Promise<void> {
    clearInterval(this.#timer);
    this.#isStopping = true;
    await Promise.race([Promise.all(this.#underWay), sleep(this.#setup.graceMs)]);
    this.#stop.abort('shutdown');
    await Promise.all(this.#underWay);
  }

  async close(): Promise<void> {
    await this.stopWorker();
  }

  #put(body: string): string {
    this.#count += 1;
    const ticket = `message-${this.#count}`;
    this.#queue.push({ ticket, body, returns: 0, notBefore: 0 });
    return ticket;
  }

  #take(signal: AbortSignal): void {
    while (!this.#isStopping && this.#underWay.size < this.#setup.concurrency) {
      const place = this.#queue.findIndex(({ notBefore }) => notBefore <= Date.now());
      const [message] = place < 0 ? [] : this.#queue.splice(place, 1);
      if (message === undefined) return;
      const run = this.#run(message, signal).finally(() => this.#underWay.delete(run));
      this.#underWay.add(run);
    }
  }

  async #run(message: Message, signal: AbortSignal): Promise<void> {
    const { client, tools, scope, retryLater, onEnd } = this.#setup;
    const how = { tools, signal, retryLater, returns: message.returns, ...(scope === undefined ? {} : { scope }) };
    const read = async (): Promise<ToolJob> => readToolJob(message.body);
    const end = await read().then((job) => runJob(client, job, how), refuseJob);
    onEnd(end);
    if (end.kind === 'retryLater')
      this.#queue.push({ ...message, returns: message.returns + 1, notBefore: end.retryAt });
    if (end.kind === 'acknowledge') this.#replyOf(message.ticket).resolve(replyOf(end));
    if (end.kind !== 'deadLetter') return;
    const problem = problemOf(end.error);
    this.#dead.push({ ticket: message.ticket, problem });
    this.#replyOf(message.ticket).resolve({ v: 1, ok: false, problem });
  }

  #replyOf(ticket: string): PromiseWithResolvers<JobReply> {
    const reply = this.#replies.get(ticket) ?? Promise.withResolvers<JobReply>();
    this.#replies.set(ticket, reply);
    return reply;
  }
}

const memoryQueue: JobHostFixture = {
  can: [],
  async start(setup) {
    const queue = new MemoryQueue(setup);
    await queue.startWorker();
    return queue;
  },
};

describeJobContract('a queue in memory', memoryQueue, {
  skip: [
    { need: 'cut', reason: 'it has no connection' },
    { need: 'outage', reason: 'it has no broker' },
  ],
});
