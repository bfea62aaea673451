// A map whose entries come and go: it answers as a Map does, and what is gone is held by nothing.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { PassingMap } from '../../src/runtime/passing-map.ts';

it('answers as a Map does, whatever comes and goes', () => {
  const [passing, map] = [new PassingMap<string, number>(), new Map<string, number>()];
  let seed = 7;
  const next = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let step = 0; step < 20_000; step += 1) {
    const key = `key ${next(60)}`;
    if (next(2) === 0) {
      passing.set(key, step);
      map.set(key, step);
    } else {
      expect(passing.delete(key)).toBe(map.delete(key));
    }
    expect([passing.size, passing.get(key), passing.has(key)]).toEqual([map.size, map.get(key), map.has(key)]);
  }
  expect([...passing.values()]).toEqual([...map.values()]);
  passing.clear();
  expect([passing.size, passing.get('key 1'), [...passing.values()]]).toEqual([0, undefined, []]);
});

it('keeps nothing of what has gone from young collections; a Map keeps it until the next full one', () => {
  const [passing, map] = [keptBy(new PassingMap<string, unknown>()), keptBy(new Map<string, unknown>())];
  expect(map).toBeGreaterThan(5); // or the figure below says nothing
  expect(passing).toBeLessThan(1.5);
});

/** Mi bytes that young collections leave behind of 10 Mi that came and went, 50 at a time. */
function keptBy(
  map: Pick<Map<string, unknown>, 'get' | 'delete'> & { set(key: string, value: unknown): unknown },
): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;
  map.set('first', 0);
  collect(); // the map and its table are old now
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 10_240; n += 1) {
    map.set(`key ${n}`, Array(128).fill(n));
    map.delete(`key ${n - 50}`);
    if (n % 1_024 === 0) collect({ type: 'minor' });
  }
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  return (process.memoryUsage().heapUsed - before) / 2 ** 20;
}
