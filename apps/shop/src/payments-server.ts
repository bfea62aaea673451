/** A small payments server as one would write it: it charges whenever it is told to, and knows nothing of repeats or of MCP-Tx. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { ServerNotification } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { faultsIn } from './payment-fault.ts';
import { appendCharge, readCharges } from './payment-log.ts';

/** What a charge does, one after the other; the money is taken after the second. */
const STEPS = ['The card is checked', 'The bank is asked', 'The money is taken', 'The receipt is written'] as const;
const STEPS_BEFORE_EFFECT = 2;
/** The bank takes no more than this at once, in cents. */
const LIMIT = 100_000;

const [logPath, chargeMsText = '40', faultsText = ''] = process.argv.slice(2);
if (logPath === undefined) {
  process.stderr.write('usage: payments-server <path of its log> [duration of a charge, ms] [faults]\n');
  process.exit(2);
}
const stepMs = Number(chargeMsText) / STEPS.length;
const faults = faultsIn(faultsText);

const server = new McpServer({ name: 'payments', version: '1.0.0' });

server.registerTool(
  'charge',
  {
    title: 'Charge an order',
    description: 'Charges the customer of an order.',
    inputSchema: { orderId: z.string(), amount: z.number().int().positive().describe('in cents') },
    annotations: { readOnlyHint: false, idempotentHint: false },
  },
  async ({ orderId, amount }, { _meta, sendNotification }) => {
    if (amount > LIMIT) {
      return { isError: true, content: [{ type: 'text', text: `The bank refuses ${amount}: the limit is ${LIMIT}.` }] };
    }
    const fault = faults.get(orderId);
    const charge = { id: `ch_${randomUUID()}`, orderId, amount, at: 0 };
    for (const [done, message] of STEPS.entries()) {
      await tell(_meta?.progressToken, done, message, sendNotification);
      await sleep(fault === 'slow' ? 10 * stepMs : stepMs);
      if (done + 1 !== STEPS_BEFORE_EFFECT) continue;
      if (fault === 'crash-before-effect') process.exit(1);
      charge.at = Date.now();
      appendCharge(logPath, charge);
      if (fault === 'crash-after-effect') process.exit(1);
    }
    return { content: [{ type: 'text', text: JSON.stringify(charge) }] };
  },
);

server.registerTool(
  'list_charges',
  {
    title: 'List the charges of an order',
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

async function tell(
  progressToken: string | number | undefined,
  progress: number,
  message: string,
  send: (notification: ServerNotification) => Promise<void>,
): Promise<void> {
  if (progressToken === undefined) return;
  const params = { progressToken, progress, total: STEPS.length, message };
  await send({ method: 'notifications/progress', params });
}
