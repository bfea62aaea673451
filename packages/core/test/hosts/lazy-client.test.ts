import { expect, it, vi } from 'vitest';
import { lazyClient } from '../../src/http.ts';
import type { McpTx } from '../../src/index.ts';
import { instance } from '../support/instance.ts';

it('makes one instance for 50 who ask at the same time, and a new one only when that is closed', async () => {
  const [first, second] = [await instance([]), await instance([])];
  const make = vi.fn<() => Promise<McpTx>>();
  make.mockResolvedValueOnce(first.tx).mockResolvedValueOnce(second.tx);
  const client = lazyClient(make);
  const all = await Promise.all(Array.from({ length: 50 }, client));
  expect([make.mock.calls.length, new Set(all).size]).toEqual([1, 1]);
  expect([await client(), first.tx.isClosed]).toEqual([first.tx, false]);
  void first.tx.close();
  expect(first.tx.isClosed).toBe(true);
  expect(await Promise.all([client(), client()])).toEqual([second.tx, second.tx]);
  expect(make).toHaveBeenCalledTimes(2);
});

it('tells a failure to all who wait, and tries anew for the next one', async () => {
  const { tx } = await instance([]);
  const make = vi.fn<() => Promise<McpTx>>();
  make.mockRejectedValueOnce(new Error('no server')).mockResolvedValueOnce(tx);
  const client = lazyClient(make);
  const failed = await Promise.allSettled([client(), client()]);
  for (const outcome of failed) {
    const reason = { code: 'CONNECTION_FAILED', execution: 'none' };
    expect(outcome).toMatchObject({ status: 'rejected', reason });
  }
  expect([make.mock.calls.length, await client()]).toEqual([1, tx]);
});
