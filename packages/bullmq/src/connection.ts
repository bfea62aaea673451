/** Says where a queue is: on Redis, or on another backend of BullMQ's; and how a producer's connection fails fast. */
import type {
  BackendFactory,
  ConnectionOptions,
  FlowProducerOptions,
  PostgresConnectionOptions,
  Processor,
  QueueOptions,
  RedisOptions,
  WorkerOptions,
} from 'bullmq';
import { FlowProducer, Queue, Worker } from 'bullmq';
import type { RunningJobs } from './running-jobs.ts';

/** Where a queue is. */
export interface QueuePlace {
  /** Name of the queue, without colons. */
  readonly name: string;
  /**
   * Options of ioredis, or a client that you have made and close yourself; with `createPostgresBackend` what that takes.
   * A worker's own client needs `maxRetriesPerRequest: null`.
   */
  readonly connection: ConnectionOptions | PostgresConnectionOptions;
  /** What BullMQ's keys in Redis begin with, default `bull`. On a cluster it needs a hash tag: `{mcp-tx}`. */
  readonly prefix?: string;
  /** Another backend than Redis: `createPostgresBackend` of `bullmq`. */
  // biome-ignore lint/suspicious/noExplicitAny: every backend has connection options of its own
  readonly backend?: BackendFactory<any, any>;
}

/** Opens the queue for a producer. */
export function openQueue(place: QueuePlace): Queue {
  const options = sharedOptions(place, failFast(place));
  return place.backend === undefined
    ? new Queue(place.name, options)
    : (new Queue(place.name, options as QueueOptions<never>, place.backend) as unknown as Queue);
}

/** Opens what adds chains, over the same connection. */
export function openFlows(place: QueuePlace): FlowProducer {
  const options: FlowProducerOptions = sharedOptions(place, failFast(place));
  return place.backend === undefined
    ? new FlowProducer(options)
    : (new FlowProducer(options as FlowProducerOptions<never>, place.backend) as unknown as FlowProducer);
}

/** Opens the queue for a worker, whose jobs are cancelled through `running`. */
export function openWorker(
  place: QueuePlace,
  processor: Processor,
  options: Omit<WorkerOptions, 'connection' | 'prefix'>,
  running: RunningJobs,
): Worker {
  const all = { ...options, ...sharedOptions(place, place.connection) } as WorkerOptions;
  return new CallWorker(place, processor, all, running);
}

class CallWorker extends Worker {
  readonly #running: RunningJobs;

  constructor({ name, backend }: QueuePlace, processor: Processor, options: WorkerOptions, running: RunningJobs) {
    super(...([name, processor, options, backend] as unknown as ConstructorParameters<typeof Worker>)); // Redis is its default
    this.#running = running;
  }

  override cancelJob(jobId: string, reason?: string): boolean {
    return this.#running.cancel(jobId, reason);
  }

  override cancelAllJobs(reason?: string): void {
    this.#running.cancelAll(reason);
  }
}

function sharedOptions({ prefix }: QueuePlace, connection: QueuePlace['connection']): QueueOptions {
  return { connection: connection as ConnectionOptions, ...(prefix === undefined ? {} : { prefix }) };
}

/** A producer of Redis says at once that it cannot reach it, where the connection is made here. */
function failFast({ connection, backend }: QueuePlace): QueuePlace['connection'] {
  if (backend !== undefined || !isPlainObject(connection)) return connection;
  return { enableOfflineQueue: false, maxRetriesPerRequest: 1, ...(connection as RedisOptions) };
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
