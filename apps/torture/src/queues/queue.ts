// What a queue brings along to be tortured: a broker of the run's own, a producer, and a worker for a process that will be killed.
import type { McpTx } from '@mcp-tx/core';
import type { JobProblem } from '@mcp-tx/core/job';
import type { Service } from '@mcp-tx/testing/services';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';

export const QUEUES = ['bullmq', 'rabbitmq'] as const;
export type QueueName = (typeof QUEUES)[number];

/** `ours`: this project's package. `bare`: the queue's own library as its guide shows it, calling the tool with the bare SDK. */
export type Flavour = 'ours' | 'bare';

/** A kind of queue. */
export interface QueueKind {
  /** Starts a private broker that loses nothing it has confirmed. */
  start(): Promise<Broker>;
  /** Works in this process. `onEnd` is called after each run of a job. `queue` is a name that the run has given. */
  work(address: string, queue: string, worker: QueueWorker): Promise<{ close(): Promise<void> }>;
}

/** What a worker calls tools with. */
export type QueueWorker = {
  readonly concurrency: number;
  /** `end`: `acknowledge`, `retryLater`, `deadLetter`; bare: `done` or `failed`. */
  readonly onEnd: (end: string) => void;
} & ({ readonly flavour: 'ours'; readonly client: McpTx } | { readonly flavour: 'bare'; readonly client: Client });

/** A private broker. */
export interface Broker {
  /** For other processes: plain text. */
  readonly address: string;
  /** Killed and started again in mid-run. */
  readonly service: Service;
  /** Cuts every connection of workers and producers; how many there were. */
  cutConnections(): Promise<number>;
  openProducer(queue: string, flavour: Flavour): Promise<Producer>;
}

/** Puts jobs into a queue, and looks at it from outside. */
export interface Producer {
  /** One job for each order, by its key. Resolves when the broker has confirmed all of them. */
  put(orders: readonly string[]): Promise<void>;
  /** Rejects while the broker is away. */
  look(): Promise<QueueState>;
  close(): Promise<void>;
}

/** What lies in a queue. */
export interface QueueState {
  /** Jobs that wait, are under way or come again. */
  readonly pending: number;
  /** Those put aside; of bare ones no problem is known. */
  readonly deadLetters: readonly { readonly order: string; readonly problem?: JobProblem }[];
}
