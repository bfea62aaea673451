// What is no AbortSignal but can be aborted was listened to for ever by each call that needed a signal made of it.
import { expect, it } from 'vitest';
import { z } from 'zod';
import { bindScope } from '../../src/http.ts';
import type { AbortSource } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { slowly } from '../support/scripted-connection.ts';

/** Such as a process has for its own end. */
class Source implements AbortSource {
  aborted = false;
  readonly listeners: Set<() => void> = new Set();
  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.add(listener);
  }
  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.delete(listener);
  }
  abort(): void {
    this.aborted = true;
    for (const listener of this.listeners) listener();
  }
}

it('[G:I12] calls of a request that bring a source of their own leave no listener with either', async () => {
  const { tx, clock } = await instance([slowly(1), slowly(1), slowly(500)]);
  const [request, own] = [new Source(), new Source()];
  const scope = bindScope(tx, { scope: 'a', signal: request, clock });
  for (let n = 0; n < 2; n += 1) await within(clock, 100, scope.callTool('pay', {}, { signal: own }));
  expect([request.listeners.size, own.listeners.size]).toEqual([0, 0]);
  const last = scope.tryCallTool('pay', {}, { signal: own });
  await clock.settle();
  own.abort();
  expect(await within(clock, 10, last)).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  expect([request.listeners.size, own.listeners.size]).toEqual([0, 0]);
});

it('[G:I12] a local tool hears of its caller for as long as it runs, past its deadline too, and leaves no listener', async () => {
  const { tx, clock } = await instance();
  const source = new Source();
  const ends = Promise.withResolvers<void>();
  let heard: AbortSignal | undefined;
  tx.tool('both', { inputSchema: z.object({ waits: z.boolean() }) }, async ({ waits }, { signal }) => {
    heard = signal;
    if (waits) await ends.promise;
    return 'done';
  });
  await tx.callTool('both', { waits: false }, { signal: source });
  expect(source.listeners.size).toBe(0);
  const late = tx.tryCallTool('both', { waits: true }, { signal: source });
  expect(await within(clock, 2_000, late)).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED' } });
  source.abort();
  expect(heard?.aborted).toBe(true);
  ends.resolve();
  await clock.settle();
  expect(source.listeners.size).toBe(0);
});
