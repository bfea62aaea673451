// A payments server that recognises repeats: the tool `pay` behind withMcpTx, with its operations in a file and its effects in the log.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { withMcpTx } from '@mcp-tx/server';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { openEffectLog } from '@mcp-tx/testing/faulty-server';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

const [effectLog = '', operations = ''] = process.argv.slice(2);
const log = openEffectLog(effectLog);
const server = new McpServer({ name: 'payments', version: '1.0.0' });
process.stdout.on('error', () => undefined); // its client was killed; what it has begun it ends

server.registerTool(
  'pay',
  { inputSchema: { orderId: z.string(), amount: z.number() } },
  async (args, { requestId }) => {
    await sleep(2);
    const receipt = randomUUID();
    log.append({ effect: 'pay', args, receipt, jsonRpcId: requestId, at: Date.now(), pid: process.pid });
    await sleep(2);
    return { content: [{ type: 'text', text: JSON.stringify({ receipt }) }] };
  },
);
withMcpTx(server, { name: 'payments', ledger: sqliteLedger(operations), scope: 'local', leaseMs: 1_000 });
await server.connect(new StdioServerTransport());
