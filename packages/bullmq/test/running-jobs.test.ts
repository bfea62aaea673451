// Jobs under way: each can be told to end, once, with a reason, and is forgotten when it has ended.
import { expect, it } from 'vitest';
import type { JobAbort } from '../src/running-jobs.ts';
import { RunningJobs } from '../src/running-jobs.ts';

/** A job that runs until it is told to end, and says why. */
function begin(running: RunningJobs, jobId: string): Promise<unknown> {
  return running.run(
    jobId,
    (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason))),
  );
}

it('tells one job, or all, and says whether there was one', async () => {
  const running = new RunningJobs();
  const jobs = ['a', 'b', 'c'].map((jobId) => begin(running, jobId));
  expect([running.cancel('b', 'lock-lost'), running.cancel('absent', 'lock-lost')]).toEqual([true, false]);
  expect(await jobs[1]).toBe('lock-lost');
  expect(running.cancel('b', 'again')).toBe(false);
  running.cancelAll('shutdown');
  expect(await Promise.all(jobs)).toEqual(['shutdown', 'lock-lost', 'shutdown']);
});

it('a job that fails is forgotten, and one that is here for the second time is not forgotten with the first', async () => {
  const running = new RunningJobs();
  await expect(running.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(running.cancel('a', 'late')).toBe(false);
  let endFirst = (): void => undefined;
  const first = running.run('a', () => new Promise<void>((resolve) => (endFirst = resolve)));
  const second = begin(running, 'a');
  endFirst();
  await first;
  expect(running.cancel('a', 'lock-lost')).toBe(true);
  expect(await second).toBe('lock-lost');
});

it('keeps the habits of a signal: told once, and not told when nobody listens any more', async () => {
  const running = new RunningJobs();
  const heard: string[] = [];
  let seen: JobAbort | undefined;
  const job = running.run('a', (signal) => {
    seen = signal;
    const gone = (): void => void heard.push('gone');
    signal.addEventListener('abort', gone);
    signal.addEventListener('abort', () => heard.push('heard'));
    signal.removeEventListener('abort', gone);
    return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  });
  running.cancelAll('first');
  running.cancelAll('second');
  await job;
  seen?.addEventListener('abort', () => heard.push('late'));
  expect([heard, seen?.aborted, seen?.reason]).toEqual([['heard'], true, 'first']);
});
