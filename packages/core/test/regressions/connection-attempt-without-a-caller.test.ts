// DESIGN 3.8 I12 and 3.4 (aborted before dispatch = not-sent): a caller whose signal has aborted already starts a connection attempt and
// leaves before anybody listens to it. When that attempt fails, its rejection is unhandled, which ends the process.
import { expect, it } from 'vitest';
import { OwnedConnection } from '../../src/connect/owned-connection.ts';
import type { ConnectionContext } from '../../src/index.ts';
import { createMcpTx } from '../../src/index.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { stdio } from '../../src/sdk-v1.ts';

async function unhandledDuring(act: () => Promise<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => void seen.push(reason));
  try {
    await act();
    await new Promise((resolve) => setTimeout(resolve, 300));
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  }
  return seen;
}

it('[G:I12] an aborted first call to a server that cannot be started leaves no unhandled rejection', async () => {
  const tx = createMcpTx({ server: stdio({ command: '/nonexistent/server', stderr: 'ignore' }), sweepIntervalMs: 0 });
  const unhandled = await unhandledDuring(async () => {
    const outcome = await tx.tryCallTool('pay', {}, { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
  });
  await tx.close();
  expect(unhandled).toEqual([]);
});

it('[G:I12] nor does a send whose caller left while the ledger took its time', async () => {
  const context: ConnectionContext = {
    clock: systemClock,
    random: systemRandom(),
    onToolsChanged: () => undefined,
    onReconnected: () => undefined,
    connectTimeoutMs: 1_000,
    probeIfIdleMs: 5_000,
  };
  const connection = new OwnedConnection(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error('ECONNREFUSED');
  }, context);
  const unhandled = await unhandledDuring(async () => {
    await expect(connection.makeReady(true, AbortSignal.abort())).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });
  expect(unhandled).toEqual([]);
});
