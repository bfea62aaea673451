/** The fixture of the job contract on BullMQ: a queue of its own for each case, cut off by its connections, broken by its server. */

import { isMcpTxError } from '@mcp-tx/core';
import type { JobReply } from '@mcp-tx/core/job';
import { problemOf } from '@mcp-tx/core/job';
import type { DeadLetter, JobHostFixture, JobHostSetup, JobNeed, RunningJobHost } from '@mcp-tx/testing/job-contract';
import type { QueuePlace, ToolWorker } from '../../src/index.ts';
import { createToolQueue, createToolWorker, problemOfReason } from '../../src/index.ts';

let count = 0;

/** A name that no other queue has. */
export function newName(): string {
  count += 1;
  return `tools-${process.pid}-${count}`;
}

/** How a backend is reached, and broken. */
export interface Backend {
  readonly can: readonly JobNeed[];
  place(name: string): QueuePlace;
  breakBroker?(): Promise<void>;
}

export function bullmqFixture(backend: Backend): JobHostFixture {
  return { can: backend.can, start: (setup) => start(backend, setup) };
}

async function start(backend: Backend, setup: JobHostSetup): Promise<RunningJobHost> {
  const place = backend.place(newName());
  const producer = createToolQueue({ ...place, timeoutMs: 20_000 });
  const { queue } = producer;
  let worker: ToolWorker | undefined;
  const startWorker = async (): Promise<void> => {
    worker = createToolWorker({
      ...{ ...place, ...setup },
      onEnd: (_job, end) => setup.onEnd(end),
      lockDurationMs: 600,
      worker: { runRetryDelay: 100, drainDelay: 1 },
    });
    await worker.worker.waitUntilReady();
  };
  await startWorker();
  return {
    enqueue: async (...call) => (await producer.enqueue(...call)).jobId,
    inject: async (body) => String((await queue.add('foreign', body)).id),
    endOf: (ticket) => producer.result(ticket).then(({ result, meta }) => ({ v: 1, ok: true, result, meta }), refused),
    deadLetters: async () =>
      (await queue.getFailed()).map(({ id, failedReason }): DeadLetter => {
        return { ticket: String(id), problem: problemOfReason(failedReason) };
      }),
    async pending() {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'waiting-children');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    startWorker,
    stopWorker: async () => worker?.close(),
    async cutWorker() {
      await worker?.worker.close(true);
    },
    ...(backend.breakBroker === undefined ? {} : { breakBroker: () => backend.breakBroker?.() as Promise<void> }),
    async close() {
      await worker?.close();
      await queue.obliterate({ force: true });
      await producer.close();
    },
  };
}

function refused(error: unknown): JobReply {
  if (!isMcpTxError(error)) throw error;
  return { v: 1, ok: false, problem: problemOf(error) };
}
