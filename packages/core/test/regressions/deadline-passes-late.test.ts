// DESIGN 3.5 and I5: timeoutMs bounds everything.
import { describe, expect, it } from 'vitest';
import type { ServerConnection } from '../../src/index.ts';
import { createMcpTx, memoryLedger, serverSource, virtualClock } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

describe('[G:I5] the deadline', () => {
  // `Deadlines` takes for granted that of equal durations the one made first passes first; a call's began before it was made.
  it('of a call that had to wait for the list of tools is not hidden behind a later one', async () => {
    const { tx, server, clock } = await instance([fates.lostAnswer, fates.lostAnswer]);
    const { tools } = server;
    Object.defineProperty(server, 'tools', {
      get: () => new Promise((resolve) => clock.timer(500, () => resolve([...tools, { name: 'new' }]))),
    });
    let answeredAt = 0;
    const first = tx.tryCallTool('new').then(() => {
      answeredAt = clock.monotonic();
    });
    await clock.advance(400);
    const second = tx.tryCallTool('pay');
    await within(clock, 2_000, Promise.all([first, second]));
    expect(answeredAt).toBe(1_000);
  });

  // All calls share the reading that the first one began, and with it the first one's signal.
  it('of a call that joins the reading of the list of tools is its own', async () => {
    const clock = virtualClock();
    const connection: Partial<ServerConnection> = {
      state: 'connecting',
      generation: 0,
      speaksMcpTx: false,
      isReady: () => false,
      makeReady: () => new Promise(() => undefined),
      listTools: (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
        }),
      close: async () => undefined,
    };
    const server = serverSource(() => connection as ServerConnection);
    const tx = createMcpTx({ server, clock, ledger: memoryLedger({ clock }), sweepIntervalMs: 0 });
    const patient = tx.tryCallTool('pay', {}, { timeoutMs: 5_000 });
    let answeredAt: number | undefined;
    const hasty = tx.tryCallTool('pay', {}, { timeoutMs: 100 }).then(() => {
      answeredAt = clock.monotonic();
    });
    await clock.advance(6_000);
    await Promise.all([patient, hasty]);
    expect(answeredAt).toBeLessThanOrEqual(101);
  });

  it('of a local tool holds although its handler never ends', async () => {
    const { tx, clock } = await instance();
    const anything = { '~standard': { version: 1, validate: (value: unknown) => ({ value }) } } as const;
    tx.tool('hang', { inputSchema: anything }, () => new Promise(() => undefined));
    expect(await within(clock, 500, tx.tryCallTool('hang', {}, { timeoutMs: 100 }))).toMatchObject({ ok: false });
  });
});
