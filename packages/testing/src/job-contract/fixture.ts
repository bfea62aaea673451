/** What a queue host brings along to be put through the contract, and the form of a case. */
import type { McpTx, McpTxOptions } from '@mcp-tx/core';
import type { JobEnd, JobOptions, JobProblem, JobReply, RetryLater, ToolJobOptions } from '@mcp-tx/core/job';
import type { FaultyHttpOptions, FaultyHttpServer } from '../faulty-server/launch-http.ts';

/**
 * What a case needs of a host. `cut`: its worker can be cut off from the broker. `outage`: the broker can be killed and started
 * again on its data.
 */
export type JobNeed = 'cut' | 'outage';

/** How a host is to be set up for a case. */
export interface JobHostSetup extends Pick<JobOptions, 'tools' | 'scope'> {
  /** Belongs to the case, which closes it: a worker that is stopped leaves it open. */
  readonly client: McpTx;
  /** Jobs under way at once. */
  readonly concurrency: number;
  /** How long a worker that is stopped waits for its calls, ms. */
  readonly graceMs: number;
  readonly retryLater: Partial<RetryLater>;
  /** Hears how each run of a job ended. */
  readonly onEnd: (end: JobEnd) => void;
}

/** A message that was put aside, and why. */
export interface DeadLetter {
  readonly ticket: string;
  readonly problem: JobProblem;
}

/** A queue of its own, its producer, and a worker that runs. */
export interface RunningJobHost {
  /** Puts a call into the queue. Gives what `endOf` takes; two jobs of one key may have one ticket. */
  enqueue(tool: string, args?: Readonly<Record<string, unknown>>, options?: ToolJobOptions): Promise<string>;
  /** Puts a message into the queue as a stranger would: this value as its JSON body, whatever it says. */
  inject(body: unknown): Promise<string>;
  /** Waits for the end of an enqueued job, as its producer hears of it. */
  endOf(ticket: string): Promise<JobReply>;
  deadLetters(): Promise<readonly DeadLetter[]>;
  /** Messages that wait, are under way or come again later. */
  pending(): Promise<number>;
  /** Ends the worker: its calls get `graceMs` to end, and what is then not done goes back into the queue. */
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  /** Cuts the worker off from the broker, as the death of its process would; what it held comes again to another one, soon. */
  cutWorker?(): Promise<void>;
  /** Kills the broker and starts it again on its data. */
  breakBroker?(): Promise<void>;
  /** Ends the worker, the producer and the queue. */
  close(): Promise<void>;
}

/** A kind of host. */
export interface JobHostFixture {
  readonly can: readonly JobNeed[];
  start(setup: JobHostSetup): Promise<RunningJobHost>;
}

/** Everything that a case may use. */
export interface JobWorld {
  readonly host: RunningJobHost;
  readonly client: McpTx;
  /** The MCP server behind the worker: it says what really happened. */
  server(): FaultyHttpServer;
  /** The MCP server goes away. */
  serverDown(): Promise<void>;
  /** It comes back, on the same port. */
  serverUp(): Promise<void>;
  /** How every run of a job ended so far. */
  readonly ends: readonly JobEnd[];
  /** Calls that reached the server. */
  arrivals(): number;
  /** How often an order was paid. */
  paid(orderId: string): number;
}

/** One statement about every queue host. Runs under any test runner: it throws when the statement is false. */
export interface JobCase {
  readonly id: `job:${string}`;
  readonly title: string;
  readonly needs: readonly JobNeed[];
  /** Row of the attack list that this is. */
  readonly attack?: number;
  readonly server?: Pick<FaultyHttpOptions, 'script' | 'aware'>;
  readonly instance?: Partial<McpTxOptions>;
  readonly setup?: Partial<JobHostSetup>;
  readonly run: (world: JobWorld) => Promise<void>;
}
