// A processor says of each job that it is over, however it went: whoever can cancel jobs must not keep those that have ended.
import type { Job } from 'bullmq';
import { DelayedError, UnrecoverableError } from 'bullmq';
import { expect, it } from 'vitest';
import { RunningJobs } from '../src/running-jobs.ts';
import { toolProcessor } from '../src/tool-processor.ts';

const DATA = { v: 1, tool: 'pay', arguments: {}, idempotencyKey: 'order:1' };
const unreached = () => Promise.reject(new Error('the server is away'));

it.each([
  ['is no job', { data: { ...DATA, v: 2 } }, UnrecoverableError],
  ['finds its server away', { data: DATA }, DelayedError],
  [
    'cannot read the step before it',
    { data: { ...DATA, step: 1 }, getChildrenValues: () => Promise.reject(new TypeError('the queue is away')) },
    TypeError,
  ],
])('a job that %s is over, too', async (_what, job, thrown) => {
  const running = new RunningJobs();
  const signal = running.begin('a');
  const processor = toolProcessor(unreached, { tools: ['pay'] });
  const ran = processor({ id: 'a', queueName: 'q', timestamp: 0, attemptsStarted: 1, ...job } as Job, 'token', signal);
  await expect(ran).rejects.toBeInstanceOf(thrown);
  expect(running.cancel('a', 'late')).toBe(false);
});
