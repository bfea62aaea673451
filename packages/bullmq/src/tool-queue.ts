/** The producer: puts tool calls into a queue of BullMQ's, one job for each key, and waits for their ends. */
import { McpTxError } from '@mcp-tx/core';
import type { ToolJobOptions } from '@mcp-tx/core/job';
import { createToolJob } from '@mcp-tx/core/job';
import type { FlowProducer, JobsOptions, Queue, RepeatOptions } from 'bullmq';
import { flowOf } from './chain.ts';
import type { QueuePlace } from './connection.ts';
import { openFlows, openQueue } from './connection.ts';
import { inTime } from './in-time.ts';
import type { JobData } from './job-data.ts';
import { jobIdOf } from './job-id.ts';
import type { PutJob } from './put-job.ts';
import { dataOf, makeRoom, seePut } from './put-job.ts';
import type { ToolJobResult, WaitOptions } from './wait-for-end.ts';
import { waitForEnd } from './wait-for-end.ts';

/** Options of {@link createToolQueue}. */
export interface ToolQueueOptions extends QueuePlace {
  /** Longest wait for the queue to take a job, ms. Default 5,000. A connection that is known to be down is not waited for. */
  readonly timeoutMs?: number;
  /** Options of every job. By default completed jobs are kept for a day, 10,000 at most, and dead letters for good. */
  readonly jobs?: Omit<JobsOptions, 'jobId'>;
  /** Hears what goes wrong with the connection; it is made anew by itself. */
  readonly onError?: (error: Error) => void;
}

/** Options of a job. */
export interface EnqueueOptions extends ToolJobOptions {
  /** Not before so many ms. */
  readonly delayMs?: number;
  /** Anything else of BullMQ's. */
  readonly job?: Omit<JobsOptions, 'jobId' | 'delay'>;
}

/** A call to be put into the queue. */
export interface QueuedCall extends EnqueueOptions {
  readonly tool: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** A step of a chain. */
export interface ChainStep {
  readonly tool: string;
  /** `fromPrev('/path')` anywhere in them is read from the result of the step before. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/** When a call is put into the queue over and over: `{ every: 60_000 }` or `{ pattern: '0 4 * * *', tz: 'Europe/Vienna' }`. */
export type ToolSchedule = Omit<RepeatOptions, 'key'>;

const JOBS: JobsOptions = {
  attempts: 5, // of BullMQ's own: for a queue that does not answer in mid-run. Calls are the engine's to repeat
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  removeOnComplete: { age: 86_400, count: 10_000 },
};

/** Opens a queue for putting calls into it. */
export function createToolQueue(options: ToolQueueOptions): ToolQueue {
  return new ToolQueue(options);
}

/** A producer. Made by {@link createToolQueue}. */
export class ToolQueue implements AsyncDisposable {
  /** BullMQ's own. */
  readonly queue: Queue;
  readonly #options: ToolQueueOptions;
  readonly #timeoutMs: number;
  #flows: FlowProducer | undefined;
  #ready: Promise<unknown> | undefined;

  /** @internal Use {@link createToolQueue}. */
  constructor(options: ToolQueueOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.queue = openQueue(options);
    this.queue.on('error', (error) => options.onError?.(error)); // without a listener it would end the process
  }

  /**
   * Puts a call into the queue. Jobs of one key and scope are one job, also while it runs and as long as it is kept; after that
   * the ledger knows the key.
   *
   * @throws McpTxError `QUEUE_UNAVAILABLE`, `KEY_CONFLICT`; `CALL_INVALID`, `KEY_INVALID`, `ARGUMENTS_INVALID` for what could never run
   */
  async enqueue(tool: string, args?: Readonly<Record<string, unknown>>, options: EnqueueOptions = {}): Promise<PutJob> {
    const [put] = await this.enqueueMany([{ ...options, tool, ...(args === undefined ? {} : { args }) }]);
    return put as PutJob;
  }

  /** Puts many calls into the queue, all or none. See `enqueue`. */
  async enqueueMany(calls: readonly QueuedCall[]): Promise<readonly PutJob[]> {
    const jobs = calls.map((call) => {
      const { tool, args, delayMs, job, ...rest } = call;
      const isKeyed = rest.idempotencyKey !== undefined;
      const made = createToolJob(tool, args, rest);
      const data = isKeyed ? dataOf(made) : made;
      const jobId = jobIdOf(data.scope, data.idempotencyKey);
      const opts = { ...JOBS, ...this.#options.jobs, ...job, jobId, ...(delayMs ? { delay: delayMs } : {}) };
      return { isKeyed, name: tool, data, opts };
    });
    return this.#inTime(async () => {
      await Promise.all(jobs.map(({ isKeyed, data }) => (isKeyed ? makeRoom(this.queue, data) : undefined)));
      await this.queue.addBulk(jobs.map(({ name, data, opts }) => ({ name, data, opts })));
      return Promise.all(jobs.map(({ isKeyed, data }) => (isKeyed ? seePut(this.queue, data) : freshPut(data))));
    });
  }

  /**
   * Puts steps into the queue that run one after the other; each step is an operation of its own, by the key `<key>/<place>`.
   * The job that is given back is the last step. A step that is put aside puts the later ones aside, too.
   *
   * @throws McpTxError as `enqueue` does
   */
  async chain(steps: readonly ChainStep[], options: EnqueueOptions = {}): Promise<PutJob> {
    const { delayMs, job, ...rest } = options;
    if (delayMs !== undefined) throw new McpTxError('CALL_INVALID', 'a chain cannot be delayed');
    const key = rest.idempotencyKey ?? createToolJob('chain').idempotencyKey;
    const data = steps.map(({ tool, args }, place) =>
      dataOf(createToolJob(tool, args, { ...rest, idempotencyKey: `${key}/${place}` }), place),
    );
    const flow = flowOf(this.queue.name, data, { ...JOBS, ...this.#options.jobs, ...job });
    return this.#inTime(async () => {
      if ((await this.queue.getJob(String(flow.opts?.jobId))) === undefined) await this.#flowProducer().add(flow);
      const puts = await Promise.all(data.map((step) => seePut(this.queue, step)));
      return { ...(puts.at(-1) as PutJob), idempotencyKey: key };
    });
  }

  /**
   * Puts a call into the queue over and over. Each tick is an operation of its own. A schedule of the same `id` is replaced.
   *
   * @throws McpTxError as `enqueue` does
   */
  async schedule(
    id: string,
    when: ToolSchedule,
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    options: Pick<EnqueueOptions, 'scope' | 'meta' | 'job'> = {},
  ): Promise<void> {
    const { job, ...rest } = options;
    const { idempotencyKey: _, ...data } = createToolJob(tool, args, rest); // named after its tick
    const opts = { ...JOBS, ...this.#options.jobs, ...job };
    await this.#inTime(() => this.queue.upsertJobScheduler(id, when, { name: tool, data, opts }));
  }

  /** Ends a schedule; whether there was one. @throws McpTxError `QUEUE_UNAVAILABLE` */
  unschedule(id: string): Promise<boolean> {
    return this.#inTime(() => this.queue.removeJobScheduler(id));
  }

  /**
   * Waits for the end of a job; of a chain, give the job that `chain` gave.
   *
   * @throws McpTxError the problem of a job that was put aside; `OPERATION_NOT_FOUND` when there is no such job (any more);
   * `DEADLINE_EXCEEDED` when it has not ended in time (default 60,000 ms), and goes on; `ABORTED`
   */
  result(jobId: string, options?: WaitOptions): Promise<ToolJobResult> {
    return waitForEnd(this.queue, jobId, options);
  }

  /** Closes what was opened here; a client that you passed in stays open. */
  async close(): Promise<void> {
    const closing = Promise.all([this.queue.close(), this.#flows?.close()]);
    await inTime(this.#timeoutMs, () => closing).catch(() => {
      void this.queue.disconnect().catch(() => undefined); // the queue is away: nothing waits to be sent
      void this.#flows?.disconnect().catch(() => undefined);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The first job waits for the connection to be made; later ones find out at once that there is none. */
  #inTime<T>(work: () => Promise<T>): Promise<T> {
    return inTime(this.#timeoutMs, async () => {
      this.#ready ??= this.queue.waitUntilReady();
      await this.#ready.catch((error: unknown) => {
        this.#ready = undefined;
        throw error;
      });
      return work();
    });
  }

  #flowProducer(): FlowProducer {
    if (this.#flows === undefined) {
      this.#flows = openFlows(this.#options);
      this.#flows.on('error', (error) => this.#options.onError?.(error));
    }
    return this.#flows;
  }
}

function freshPut({ scope, idempotencyKey }: JobData): PutJob {
  return { jobId: jobIdOf(scope, idempotencyKey), idempotencyKey, duplicate: false };
}
