// DESIGN 3.5: "after the dispatch of an unsafe tool nothing cancels it by default". A server that is busy with one call answers no
// ping (a Python tool that blocks its loop); the idle probe before the next unsafe call then closes the connection, which ends
// the server's process in the midst of the first call.
import { expect, it } from 'vitest';
import type { McpClientLike, RequestOptionsLike } from '../../src/connect/mcp-client.ts';
import { OwnedConnection } from '../../src/connect/owned-connection.ts';
import { createMcpTx, memoryLedger, serverSource, virtualClock } from '../../src/index.ts';

it('[G:I1] does not close a connection over which a send is unanswered', async () => {
  const clock = virtualClock();
  let isBusy = false;
  let closed = 0;
  const client = (): McpClientLike => {
    const transport = { send: async () => undefined, close: async () => undefined };
    return {
      transport,
      async callTool(params: { arguments?: object }) {
        isBusy = true;
        await (transport.send as (message: object) => Promise<void>)({ method: 'tools/call', id: 1, params });
        return new Promise(() => undefined);
      },
      listTools: async () => ({ tools: [{ name: 'pay' }] }),
      ping: ({ timeout = 0 }: RequestOptionsLike = {}) =>
        isBusy
          ? new Promise((_resolve, reject) => clock.timer(timeout, () => reject(new Error('timed out'))))
          : Promise.resolve({}),
      async close() {
        closed += 1;
        await transport.close();
      },
    } as never;
  };
  const server = serverSource((context) => new OwnedConnection(async () => client(), context));
  const tx = createMcpTx({ server, clock, ledger: memoryLedger({ clock }), sweepIntervalMs: 0, timeoutMs: 60_000 });
  await tx.initialize();
  const first = tx.tryCallTool('pay', { n: 1 }, { idempotencyKey: 'one' });
  await clock.advance(6_000);
  const second = tx.tryCallTool('pay', { n: 2 }, { idempotencyKey: 'two', timeoutMs: 5_000 });
  await clock.advance(3_000);
  expect(closed).toBe(0);
  await clock.advance(200_000);
  await Promise.all([first, second]);
});
