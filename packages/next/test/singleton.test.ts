/** Proves that a process has one instance, however often its modules are loaded, and that nothing broken is kept. */
import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { mcpTxSingleton, warm } from '../src/index.ts';

const newName = () => `test-${randomUUID()}`;

it('makes one instance for 50 who ask at the same time', async () => {
  const create = vi.fn(async () => ({ id: 1 }));
  const get = mcpTxSingleton(newName(), create);
  const all = await Promise.all(Array.from({ length: 50 }, get));
  expect(create).toHaveBeenCalledTimes(1);
  expect(new Set(all).size).toBe(1);
});

it('is one instance for all copies of the module: bundles, and hot reloads', async () => {
  const name = newName();
  const first = await mcpTxSingleton(name, () => ({}))();
  vi.resetModules();
  const copy = await import('../src/singleton.ts');
  expect(copy.mcpTxSingleton).not.toBe(mcpTxSingleton);
  expect(await copy.mcpTxSingleton(name, () => ({}))()).toBe(first);
  expect(await copy.mcpTxSingleton(newName(), () => ({}))()).not.toBe(first);
});

it('tells a failure to all who wait, and tries anew for the next one', async () => {
  const create = vi.fn(() => ({ made: true }));
  create.mockImplementationOnce(() => {
    throw new Error('no server');
  });
  const get = mcpTxSingleton(newName(), create);
  const failed = await Promise.allSettled([get(), get()]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(create).toHaveBeenCalledTimes(1);
  expect(await get()).toEqual({ made: true });
});

it('makes a new one after the old one was closed', async () => {
  const get = mcpTxSingleton(newName(), () => ({ isClosed: false }));
  const first = await get();
  expect(await get()).toBe(first);
  first.isClosed = true;
  const [second, third] = await Promise.all([get(), get()]);
  expect(second).not.toBe(first);
  expect(third).toBe(second);
});

it.each([
  ['the instance cannot be made', () => Promise.reject(new Error('no'))],
  [
    'making it throws',
    () => {
      throw new Error('no');
    },
  ],
  ['it cannot connect', async () => ({ initialize: () => Promise.reject(new Error('no')) })],
])('warms up without ever throwing: %s', async (_what, get: () => Promise<object>) => {
  const errors: unknown[] = [];
  expect(
    warm(get, (error) => {
      errors.push(error);
      throw new Error('a bad handler');
    }),
  ).toBeUndefined();
  await vi.waitFor(() => expect(errors).toEqual([new Error('no')]));
});

it('warms up by connecting', async () => {
  const initialize = vi.fn(async () => undefined);
  warm(async () => ({ initialize }));
  await vi.waitFor(() => expect(initialize).toHaveBeenCalledTimes(1));
});
