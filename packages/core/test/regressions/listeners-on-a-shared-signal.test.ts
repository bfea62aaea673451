// DESIGN 9.5 and I12: SDK v1 never removes its listener from a signal, so it gets a fresh one each time. Each reading of the list of
// tools now leaves one on a signal that lives as long as the module.
import { getEventListeners } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { expect, it } from 'vitest';
import { createMcpTx } from '../../src/index.ts';

it('[G:I12] reading the list of tools again and again leaves no listeners behind', async () => {
  const server = new McpServer({ name: 's', version: '1' });
  server.registerTool('pay', {}, () => ({ content: [] }));
  const client = new Client({ name: 'c', version: '1' });
  const [left, right] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(right), client.connect(left)]);
  let last: AbortSignal | undefined;
  const listTools = client.listTools.bind(client);
  client.listTools = (params, options) => {
    last = options?.signal;
    return listTools(params, options);
  };
  await using tx = createMcpTx({ server: client, sweepIntervalMs: 0 });
  for (let n = 0; n < 10; n += 1) await tx.listTools();
  expect(last === undefined ? 0 : getEventListeners(last, 'abort').length).toBeLessThanOrEqual(1);
  await client.close();
});
