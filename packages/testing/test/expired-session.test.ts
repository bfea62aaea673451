import { createMcpTx } from '@mcp-tx/core';
import { http as httpV1 } from '@mcp-tx/core/sdk-v1';
import { http as httpV2 } from '@mcp-tx/core/sdk-v2';
import { expect, it, vi } from 'vitest';
import { startFaultyHttpServer } from '../src/faulty-server.ts';

it.each([
  ['SDK v1', httpV1],
  ['SDK v2', httpV2],
] as const)(
  'a new session leaves the calls of the expired one alone, and is begun once (%s)',
  async (_line, http) => {
    await using server = await startFaultyHttpServer({});
    await using tx = createMcpTx({ server: http({ url: server.url }), timeoutMs: 20_000, retry: { baseDelayMs: 10 } });
    await tx.initialize();
    const slow = tx.tryCallTool('slow', { ms: 1_500, orderId: 'slow' });
    await vi.waitFor(() => expect(server.faults().arrivals).toHaveLength(1), 10_000);
    server.expireSessions();
    const others = await Promise.all(
      Array.from({ length: 5 }, (_, n) => tx.tryCallTool('pay', { orderId: `order-${n}` })),
    );
    expect(others).toMatchObject(Array(5).fill({ ok: true, meta: { attempts: 2 } }));
    expect((await tx.health()).generation).toBe(2);
    expect(await slow).toMatchObject({ ok: true, meta: { attempts: 1 } });
    expect(server.effects().map((effect) => effect.args['orderId'])).toHaveLength(6);
  },
  30_000,
);
