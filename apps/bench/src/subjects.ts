// What is measured: an echo tool in memory, called through the raw SDK and through MCP-Tx in its modes.
import type { McpTx, McpTxOptions } from '@mcp-tx/core';
import { createMcpTx, memoryLedger } from '@mcp-tx/core';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { Work } from './interleave.ts';

/** A connected client of an in-memory server with the tool `echo`. */
export async function echoClient(): Promise<Client> {
  const server = new McpServer({ name: 'echo', version: '1.0.0' });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, async ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const client = new Client({ name: 'bench', version: '1.0.0' });
  await client.connect(near);
  return client;
}

/** The raw call. */
export async function raw(): Promise<Work> {
  const client = await echoClient();
  return () => client.callTool({ name: 'echo', arguments: { text: 'hello' } });
}

/** An instance over a client of its own. Records live for a second or two: the run must not measure a growing heap. */
export async function instance(options: Partial<McpTxOptions> = {}): Promise<McpTx> {
  const ledger = memoryLedger({ maxRecords: 1_000_000 });
  const tx = createMcpTx({ server: await echoClient(), ledger, retentionMs: 1_000, sweepIntervalMs: 0, ...options });
  await tx.initialize();
  return tx;
}

/** One call per turn, each with a key of its own if `keyed`. */
export function calls(tx: McpTx, keyed: boolean): Work {
  let n = 0;
  if (!keyed) return () => tx.callTool('echo', { text: 'hello' });
  return () => {
    n += 1;
    return tx.callTool('echo', { text: 'hello' }, { idempotencyKey: `order:${n}` });
  };
}
