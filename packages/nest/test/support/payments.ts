/** A real MCP server in this process, with its own count of what really happened, and options for a connection to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryLedger } from '@mcp-tx/core';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { McpTxModuleOptions } from '../../src/index.ts';

/** The server's books. */
export interface Payments {
  readonly options: McpTxModuleOptions;
  /** Order numbers, in the order in which they were charged. */
  readonly charges: string[];
  /** The server dies with the next charge, before or after it. */
  dies: 'before' | 'after' | undefined;
  chargeMs: number;
}

/** Starts it. */
export async function payments(): Promise<Payments> {
  const server = new McpServer({ name: 'payments', version: '1.0.0' });
  const charges: string[] = [];
  const books: Payments = { options: undefined as never, charges, dies: undefined, chargeMs: 0 };
  server.registerTool('charge', { inputSchema: { orderId: z.string() } }, async ({ orderId }) => {
    if (books.dies === 'before') return server.close() as never;
    charges.push(orderId);
    if (books.dies === 'after') return server.close() as never;
    await sleep(books.chargeMs);
    return { content: [{ type: 'text', text: JSON.stringify({ receipt: charges.length }) }] };
  });
  server.registerTool('look', { inputSchema: {}, annotations: { readOnlyHint: true } }, async () => ({
    content: [{ type: 'text', text: JSON.stringify({ charges }) }],
  }));
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const client = new Client({ name: 'nest-test', version: '1.0.0' });
  await client.connect(near);
  const options: McpTxModuleOptions = {
    server: client,
    name: 'payments',
    ledger: memoryLedger(),
    tools: { look: { readOnly: true } },
    settleGraceMs: 0,
    timeoutMs: 2_000,
  };
  return Object.assign(books, { options });
}
