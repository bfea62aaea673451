import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerSource } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import { http as httpV1, stdio as stdioV1 } from '@mcp-tx/core/sdk-v1';
import { http as httpV2, stdio as stdioV2 } from '@mcp-tx/core/sdk-v2';
import { faultyStdio, startFaultyHttpServer } from '@mcp-tx/testing/faulty-server';
import { expect, it } from 'vitest';

/** Hosts keep who asks in the async context. The first request opens the connection; nobody may be taken for whoever that was. */
async function contextsSeen(server: ServerSource): Promise<ReadonlySet<string>> {
  const request = new AsyncLocalStorage<string>();
  const seen = new Set<string>();
  const note = (what: string) => () => void seen.add(`${what} as ${request.getStore()}`);
  await using tx = createMcpTx({ name: 'any', server, tools: { progress: { readOnly: true } } });
  await request.run('the first', () => tx.callTool('read_balance', {}));
  tx.on('attempt.ended', note('an event'));
  const options = { onProgress: note('progress') };
  await request.run('the second', () => tx.callTool('progress', { steps: 3 }, options));
  await tx.callTool('progress', { steps: 3 }, options);
  return seen;
}

async function expectNobodyElse(server: ServerSource): Promise<void> {
  const seen = await contextsSeen(server);
  expect([...seen].some((text) => text.startsWith('progress'))).toBe(true);
  expect(seen).toContain('an event as the second');
  expect([...seen].filter((text) => text.endsWith('the first'))).toEqual([]);
}

it.each([
  ['v1', stdioV1],
  ['v2', stdioV2],
] as const)(
  'over stdio with SDK %s, no call runs in the async context of the call that opened the connection',
  (_line, stdio) => expectNobodyElse(stdio(faultyStdio())),
);

it.each([
  ['v1', httpV1],
  ['v2', httpV2],
] as const)(
  'over HTTP with SDK %s, no call runs in the async context of the call that opened the connection',
  async (_line, http) => {
    const server = await startFaultyHttpServer({});
    try {
      await expectNobodyElse(http({ url: server.url }));
    } finally {
      await server.close();
    }
  },
);
