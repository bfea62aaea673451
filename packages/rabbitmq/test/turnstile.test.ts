import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Turnstile } from '../src/turnstile.ts';

it('so many pass at once, those that came back first, also after a failure', async () => {
  const turnstile = new Turnstile(2);
  const order: string[] = [];
  let inside = 0;
  const pass = (name: string, cameBack = false) =>
    turnstile.pass(cameBack, async () => {
      inside += 1;
      expect(inside).toBeLessThanOrEqual(2);
      order.push(name);
      await sleep(2);
      inside -= 1;
      if (name === 'b') throw new Error('b');
    });
  const all = ['a', 'b', 'c', 'd'].map((name) => pass(name));
  const ends = await Promise.allSettled([...all, pass('x', true), pass('y', true)]);
  expect(order).toEqual(['a', 'b', 'x', 'y', 'c', 'd']);
  expect(ends.map(({ status }) => status === 'rejected')).toEqual([false, true, false, false, false, false]);
  await pass('e');
  expect(inside).toBe(0);
});
