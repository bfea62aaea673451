/** A small payments server as one would write it: it charges whenever it is told to, and knows nothing of repeats or of MCP-Tx. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
import { appendCharge, readCharges } from './work/payment-log.ts';

/** A charge takes this long before the money is taken, and once more before the answer leaves, ms. */
const BANK_MS = 20;

const [logPath] = process.argv.slice(2);
if (logPath === undefined) {
  process.stderr.write('usage: payments-server <path of its log>\n');
  process.exit(2);
}

const server = new McpServer({ name: 'payments', version: '1.0.0' });

server.registerTool(
  'charge',
  {
    description: 'Charges the customer of an order.',
    inputSchema: { orderId: z.string(), amount: z.number().int().positive().describe('in cents') },
    annotations: { readOnlyHint: false, idempotentHint: false },
  },
  async ({ orderId, amount }) => {
    await sleep(BANK_MS);
    const charge = { id: `ch_${randomUUID()}`, orderId, amount, at: Date.now() };
    appendCharge(logPath, charge);
    await sleep(BANK_MS);
    return { content: [{ type: 'text', text: JSON.stringify(charge) }] };
  },
);

server.registerTool(
  'list_charges',
  {
    description: 'Lists the charges of an order.',
    inputSchema: { orderId: z.string() },
    annotations: { readOnlyHint: true },
  },
  async ({ orderId }) => {
    const charges = readCharges(logPath).filter((charge) => charge.orderId === orderId);
    return { content: [{ type: 'text', text: JSON.stringify({ charges }) }] };
  },
);

await server.connect(new StdioServerTransport());
