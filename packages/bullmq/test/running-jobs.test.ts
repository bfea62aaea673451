// Jobs under way: each can be told to end, once, with a reason, and is forgotten when it has ended.
import { expect, it } from 'vitest';
import { RunningJobs } from '../src/running-jobs.ts';

/** A job that runs until it is told to end, and says why. */
async function run(running: RunningJobs, jobId: string): Promise<unknown> {
  const job = running.begin(jobId);
  await new Promise<void>((resolve) => job.addEventListener('abort', resolve));
  job.over?.();
  return job.reason;
}

it('tells one job, or all, and says whether there was one', async () => {
  const running = new RunningJobs();
  const jobs = ['a', 'b', 'c'].map((jobId) => run(running, jobId));
  expect([running.cancel('b', 'lock-lost'), running.cancel('absent', 'lock-lost')]).toEqual([true, false]);
  expect(await jobs[1]).toBe('lock-lost');
  expect(running.cancel('b', 'again')).toBe(false);
  running.cancelAll('shutdown');
  expect(await Promise.all(jobs)).toEqual(['shutdown', 'lock-lost', 'shutdown']);
});

it('a job that is over is forgotten, and one that is here for the second time is not forgotten with the first', async () => {
  const running = new RunningJobs();
  const [first, other, second] = ['a', 'b', 'a'].map((jobId) => running.begin(jobId));
  first?.over?.();
  first?.over?.();
  expect([running.cancel('a', 'lock-lost'), second?.reason, first?.aborted]).toEqual([true, 'lock-lost', false]);
  second?.over?.();
  expect(running.cancel('a', 'late')).toBe(false);
  running.cancelAll('shutdown');
  expect([other?.reason, second?.reason]).toEqual(['shutdown', 'lock-lost']);
});

it('a job whose lock was lost and that came again is told twice, for both runs are to end', () => {
  const running = new RunningJobs();
  const jobs = [running.begin('a'), running.begin('b'), running.begin('a')];
  running.cancel('a', 'lock-lost');
  expect(jobs.map(({ aborted }) => aborted)).toEqual([true, false, true]);
});

it('keeps the habits of a signal: told once, and not told when nobody listens any more', () => {
  const running = new RunningJobs();
  const heard: string[] = [];
  const job = running.begin('a');
  const gone = (): void => void heard.push('gone');
  job.addEventListener('abort', gone);
  job.addEventListener('abort', () => heard.push('heard'));
  job.removeEventListener('abort', gone);
  running.cancelAll('first');
  running.cancelAll('second');
  job.addEventListener('abort', () => heard.push('late'));
  expect([heard, job.aborted, job.reason]).toEqual([['heard'], true, 'first']);
});
