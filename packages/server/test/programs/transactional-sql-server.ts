// A payments server whose tool writes in the ledger's own database, in one transaction:
// `transactional-sql-server.ts <postgres|mysql> <port> <database> <leaseMs>`. With KILL_AT=n it kills itself before its n-th step
// after the first call came, with KILL_AT=n.5 when it has just sent that one off: a step is a statement to the database, or a write to
// standard output. It knows nothing of what the statements are for.
import { randomUUID } from 'node:crypto';
import type { SqlTransaction } from '@mcp-tx/sql';
import { sqlLedger } from '@mcp-tx/sql';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import mysql from 'mysql2';
import pg from 'pg';
import { z } from 'zod';
import { currentCall, withMcpTx } from '../../src/index.ts';

interface Tables {
  readonly withdrawals: { readonly order_id: string };
}

const [kind = '', port = '', database = '', leaseMs = '15000'] = process.argv.slice(2);
const killAt = Number(process.env.KILL_AT ?? 0);
const at = { host: '127.0.0.1', port: Number(port), database };
let steps = 0;
let isCounting = false;

const server = new McpServer({ name: 'payments', version: '1.0.0' });
server.registerTool('pay', { inputSchema: { orderId: z.string() } }, async ({ orderId }) => {
  const call = currentCall();
  if (call === undefined) throw new Error('only calls that name an operation can be paid');
  return call.transaction(async (db: SqlTransaction) => {
    const receipt = randomUUID();
    await db.query(`insert into charges (order_id, receipt) values ('${orderId}', '${receipt}')`);
    await db.kysely<Tables>().insertInto('withdrawals').values({ order_id: orderId }).execute();
    return { content: [{ type: 'text' as const, text: JSON.stringify({ orderId, receipt }) }] };
  });
});

withMcpTx(server, {
  ledger: sqlLedger({ pool: poolOf() }),
  name: 'payments',
  scope: 'local',
  leaseMs: Number(leaseMs),
  transactional: ['pay'],
});

step(process.stdout, 'write');
process.stdin.on('data', (chunk) => {
  isCounting ||= String(chunk).includes('tools/call');
});
await server.connect(new StdioServerTransport());

function poolOf(): pg.Pool | mysql.Pool {
  if (kind === 'postgres') {
    const pool = new pg.Pool({ ...at, user: 'postgres' });
    pool.on('connect', (client) => step(client, 'query'));
    return pool;
  }
  const pool = mysql.createPool({ ...at, user: 'root' });
  pool.on('connection', (connection) => step(connection, 'query'));
  return pool;
}

function step<T extends object>(target: T, name: keyof T & string): void {
  const original = target[name] as (...args: unknown[]) => unknown;
  target[name] = function counted(this: unknown, ...args: unknown[]) {
    if (isCounting) steps += 1;
    const isLast = isCounting && steps === Math.floor(killAt);
    if (isLast && steps === killAt) process.kill(process.pid, 'SIGKILL');
    const answer = original.apply(this, args);
    if (isLast) process.kill(process.pid, 'SIGKILL');
    return answer;
  } as never;
}
