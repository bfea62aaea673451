// Batches form only while one is under way; a bad job takes no other with it.
import { expect, it } from 'vitest';
import { Batcher } from '../src/remote/batcher.ts';

/** A store that answers each job with its double, once it is let go. */
function store() {
  const batches: (readonly number[])[] = [];
  const alone: number[] = [];
  const going: (() => void)[] = [];
  const run = async (jobs: readonly number[]): Promise<readonly (number | undefined)[]> => {
    batches.push(jobs);
    await new Promise<void>((resolve) => going.push(resolve));
    if (jobs.includes(13)) throw new RangeError('13 is a bad job');
    if (jobs.includes(0)) throw new Error('the store is gone');
    return jobs.map((job) => (job % 10 === 7 ? undefined : 2 * job));
  };
  const runAlone = async (job: number): Promise<number> => {
    alone.push(job);
    if (job === 13) throw new RangeError('13 is a bad job');
    return 2 * job;
  };
  const go = (): void => {
    for (const resolve of going.splice(0)) resolve();
  };
  const batcher = new Batcher(run, runAlone, (error) => error instanceof RangeError);
  return { batcher, batches, alone, go };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

it('what comes in one turn goes together; what comes meanwhile goes next, in two lanes', async () => {
  const { batcher, batches, go } = store();
  const first = [1, 2, 3].map((job) => batcher.run(job));
  await turn();
  const second = batcher.run(4);
  await turn();
  const third = [5, 6].map((job) => batcher.run(job));
  await turn();
  expect(batches).toEqual([[1, 2, 3], [4]]); // both lanes are taken
  go();
  await turn();
  expect(batches).toEqual([[1, 2, 3], [4], [5, 6]]);
  go();
  expect(await Promise.all([...first, second, ...third])).toEqual([2, 4, 6, 8, 10, 12]);
});

it('a lone caller does not wait for the event loop to come round', async () => {
  const { batcher, batches, go } = store();
  const answer = batcher.run(1);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  expect(batches).toEqual([[1]]);
  go();
  expect(await answer).toBe(2);
});

it('of callers that come in step half goes ahead, and they stay apart', async () => {
  const { batcher, batches, go } = store();
  const step = async (): Promise<void> => {
    for (let call = 0; call < 3; call += 1) await batcher.run(1);
  };
  const callers = Array.from({ length: 64 }, step);
  for (let round = 0; round < 4; round += 1) {
    await turn();
    go();
  }
  await Promise.all(callers);
  expect(batches.slice(0, 2).map(({ length }) => length)).toEqual([32, 32]);
});

it('a batch that is under way keeps them apart already', async () => {
  const { batcher, batches, go } = store();
  const first = batcher.run(1);
  await turn();
  const answers = Array.from({ length: 64 }, () => batcher.run(1));
  await turn();
  go();
  await Promise.all([first, ...answers]);
  expect(batches.map(({ length }) => length)).toEqual([1, 64]);
});

it('what a batch could not do is done alone', async () => {
  const { batcher, alone, go } = store();
  const answers = [6, 7, 8].map((job) => batcher.run(job));
  await turn();
  go();
  expect(await Promise.all(answers)).toEqual([12, 14, 16]);
  expect(alone).toEqual([7]);
});

it('a bad job fails alone; when the store is gone all fail, and none is tried again', async () => {
  const { batcher, alone, go } = store();
  const mixed = [12, 13, 14].map((job) => batcher.run(job));
  await turn();
  go();
  const ends = await Promise.allSettled(mixed);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const lost = [0, 1].map((job) => batcher.run(job));
  await turn();
  go();
  expect((await Promise.allSettled(lost)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(alone).toEqual([12, 13, 14]);
});

it('a batch is never longer than 256', async () => {
  const { batcher, batches, go } = store();
  const answers = Array.from({ length: 600 }, (_, n) => batcher.run(n * 10 + 1));
  for (let round = 0; round < 3; round += 1) {
    await turn();
    go();
  }
  expect(await Promise.all(answers)).toHaveLength(600);
  expect(batches.map(({ length }) => length)).toEqual([256, 256, 44, 44]);
});
