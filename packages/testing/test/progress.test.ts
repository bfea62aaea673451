import { createMcpTx } from '@mcp-tx/core';
import { http as httpV1, stdio as stdioV1 } from '@mcp-tx/core/sdk-v1';
import { http as httpV2, stdio as stdioV2 } from '@mcp-tx/core/sdk-v2';
import { describe, expect, it } from 'vitest';
import { faultyStdio, startFaultyHttpServer } from '../src/faulty-server.ts';

describe.each([
  ['SDK v1', stdioV1, httpV1],
  ['SDK v2', stdioV2, httpV2],
] as const)('progress, with %s', { timeout: 40_000 }, (_line, stdio, http) => {
  it.each(['stdio', 'http'] as const)('extends an attempt, and reaches who joins late (%s)', async (wire) => {
    const child = faultyStdio();
    await using remote = await startFaultyHttpServer({});
    const server = wire === 'http' ? http({ url: remote.url }) : stdio({ ...child, stderr: 'ignore' });
    await using tx = createMcpTx({ server, timeoutMs: 20_000, tools: { progress: { idempotent: true } } });
    await tx.initialize();
    const args = { steps: 12, everyMs: 250, orderId: 'a' }; // 3 s in all
    const options = { idempotencyKey: 'a', attemptTimeoutMs: 1_500 };
    const first = tx.callTool('progress', args, options);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const heard: number[] = [];
    const second = tx.callTool('progress', args, {
      ...options,
      onProgress: ({ progress }) => void heard.push(progress),
    });
    const [one, two] = await Promise.all([first, second]);
    expect([one.meta.attempts, two.meta.attempts]).toEqual([1, 1]);
    expect((wire === 'http' ? remote : child).effects()).toHaveLength(1);
    expect(heard.length).toBeGreaterThan(3);
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
  });
});
