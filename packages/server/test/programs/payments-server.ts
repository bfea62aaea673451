// A payments server that knows nothing of repeats, made safe by withMcpTx: `payments-server.ts <effect log> <database> <leaseMs>`.
// With DIE=before or DIE=after it kills itself around its first effect, once: a restarted one finds the mark beside its log.
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { openEffectLog } from '@mcp-tx/testing/faulty-server';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
import { currentCall, withMcpTx } from '../../src/index.ts';

const [effectLog = '', database = '', leaseMs = '15000'] = process.argv.slice(2);
const effects = openEffectLog(effectLog);
const ledger = sqliteLedger(database);

const server = new McpServer({ name: 'payments', version: '1.0.0' });
server.registerTool('pay', { inputSchema: { orderId: z.string() } }, async ({ orderId }, { requestId }) => {
  const { operationId } = currentCall() ?? {};
  const claimed = (await ledger.find(currentCall()?.idempotencyKey ?? ''))?.state ?? 'no record';
  dieOnce('before');
  const receipt = randomUUID();
  const args = { orderId, claimed, operationId };
  effects.append({ effect: 'pay', args, receipt, at: Date.now(), pid: process.pid, jsonRpcId: requestId });
  dieOnce('after');
  return { content: [{ type: 'text', text: JSON.stringify({ orderId, receipt }) }] };
});

process.stdout.on('error', () => undefined); // a client that has gone must not take the tools under way with it
withMcpTx(server, { ledger, name: 'payments', scope: 'local', leaseMs: Number(leaseMs) });
await server.connect(new StdioServerTransport());

function dieOnce(when: string): void {
  const mark = `${effectLog}.died`;
  if (process.env.DIE !== when || existsSync(mark)) return;
  writeFileSync(mark, when);
  process.kill(process.pid, 'SIGKILL');
}
