// A handler of tools/call that somebody puts on an McpServer looks tools up in a list of its own; McpServer's list says nothing then.
import { memoryLedger } from '@mcp-tx/core/ledger';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, it } from 'vitest';
import { withMcpTx } from '../../src/index.ts';
import { blockOf, connect, meta } from '../support/lines.ts';

it.each([
  ['with no tools of its own', false],
  ['with tools of its own', true],
])('a server %s runs what its own handler knows', async (_how, hasTools) => {
  const server = new McpServer({ name: 'payments', version: '1' }, { capabilities: { tools: {} } });
  withMcpTx(server, { ledger: memoryLedger(), scope: 'test' });
  if (hasTools) server.registerTool('other', {}, async () => ({ content: [] }));
  let runs = 0;
  server.server.setRequestHandler(CallToolRequestSchema, async () => {
    runs += 1;
    return { content: [] };
  });
  await using caller = await connect(server);
  expect(blockOf(await caller.call('pay', {}, meta('op_a')))).toMatchObject({ ack: true });
  expect(blockOf(await caller.call('pay', {}, meta('op_a')))).toMatchObject({ duplicate: true });
  expect(runs).toBe(1);
});
