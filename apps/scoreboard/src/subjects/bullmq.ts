// BullMQ: the key is the id of a job, and whoever wants the result waits for the job.
import type { Subject } from '../subject.ts';

const WAIT_MS = 15_000;
const quiet = (): void => undefined;

export const bullmq: Subject = {
  label: 'BullMQ 6.7.0',
  store: 'redis',
  promises: 'one job per id while the job is kept; at least once: a stalled job runs again',
  isOurs: false,
  mayRepeat: true,
  async open({ port }, effect, leaseMs) {
    const { Queue, QueueEvents, Worker } = await import('bullmq');
    const connection = { host: '127.0.0.1', port };
    const queue = new Queue('pay', { connection });
    const events = new QueueEvents('pay', { connection });
    const settings = { concurrency: 100, lockDuration: leaseMs, stalledInterval: leaseMs / 2 };
    const worker = new Worker('pay', ({ data }) => effect(data.key), { connection, ...settings });
    queue.on('error', quiet);
    events.on('error', quiet);
    worker.on('error', quiet); // a lost lock is told here
    events.setMaxListeners(0);
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
    return {
      async call(key) {
        const job = await queue.add('pay', { key }, { jobId: key });
        return { kind: 'result', receipt: String(await job.waitUntilFinished(events, WAIT_MS)) };
      },
      async close() {
        await worker.close();
        await Promise.all([queue.close(), events.close()]);
      },
    };
  },
};
