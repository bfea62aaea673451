// A payments server whose tool writes in the ledger's own file, in one transaction: `transactional-server.ts <database> <leaseMs>`.
// With KILL_AT=n it kills itself before its n-th step after the first call came: a step is a statement of SQLite, or a write to
// standard output. It knows nothing of what the statements are for.
import { randomUUID } from 'node:crypto';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SqliteTransaction } from '@mcp-tx/sql/sqlite';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
import { currentCall, withMcpTx } from '../../src/index.ts';

const [database = '', leaseMs = '15000'] = process.argv.slice(2);
const killAt = Number(process.env.KILL_AT ?? 0);
const ledger = sqliteLedger(database);
let steps = 0;
let isCounting = false;

const server = new McpServer({ name: 'payments', version: '1.0.0' });
server.registerTool('pay', { inputSchema: { orderId: z.string() } }, async ({ orderId }) => {
  const call = currentCall();
  if (call === undefined) throw new Error('only calls that name an operation can be paid');
  return call.transaction(async (db: SqliteTransaction) => {
    const receipt = randomUUID();
    db.prepare('insert into charges (order_id, receipt) values (?, ?)').run(orderId, receipt);
    await new Promise((resolve) => setTimeout(resolve, 1));
    db.prepare('update account set balance = balance - 10').run();
    return { content: [{ type: 'text' as const, text: JSON.stringify({ orderId, receipt }) }] };
  });
});

withMcpTx(server, {
  ledger,
  name: 'payments',
  scope: 'local',
  leaseMs: Number(leaseMs),
  transactional: ['pay'],
});

step(DatabaseSync.prototype, 'exec');
for (const name of ['run', 'get', 'all'] as const) step(StatementSync.prototype, name);
step(process.stdout, 'write');
process.stdin.on('data', (chunk) => {
  isCounting ||= String(chunk).includes('tools/call');
});
await server.connect(new StdioServerTransport());

function step<T extends object>(target: T, name: keyof T & string): void {
  const original = target[name] as (...args: unknown[]) => unknown;
  target[name] = function counted(this: unknown, ...args: unknown[]) {
    if (isCounting) steps += 1;
    if (isCounting && steps === killAt) process.kill(process.pid, 'SIGKILL');
    return original.apply(this, args);
  } as never;
}
