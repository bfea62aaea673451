// kill -9 around the steps of a transactional call on a database server, in real processes. The effects are counted in the
// database, by the test. MCP_TX_ALL_KILLS=1 leaves no step out, and kills both before and after each is sent off.
import { fileURLToPath } from 'node:url';
import type { SqlPool } from '@mcp-tx/sql';
import { sqlLedger } from '@mcp-tx/sql';
import type { Service } from '@mcp-tx/testing/services';
import { startMariadb, startPostgres } from '@mcp-tx/testing/services';
import mysql from 'mysql2';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { blockOf, bytesOf, meta } from './support/lines.ts';
import type { Child } from './support/payments.ts';
import { startChild } from './support/payments.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
const PROGRAM = fileURLToPath(new URL('./programs/transactional-sql-server.ts', import.meta.url));
const LEASE_MS = 300;
/** More steps than a call has: claim, transaction, answer. */
const ENOUGH = 60;
const AT_ONCE = 3;
const DISTANCE = process.env.MCP_TX_ALL_KILLS === '1' ? 0.5 : 1.5;
const starts = { postgres: startPostgres, mysql: startMariadb } as const;

type Kind = keyof typeof starts;
type Query = (text: string) => Promise<readonly Record<string, unknown>[]>;

interface Bank extends AsyncDisposable {
  /** Starts a server that kills itself at step `killAt`, or never. */
  start(killAt?: number): Promise<Child>;
  /** What stands in the database for an order. */
  effects(orderId: string): Promise<{ readonly receipts: readonly unknown[]; readonly withdrawals: number }>;
}

const databases = { postgres: 'postgres', mysql: 'mcp_tx' } as const;

async function bank(kind: Kind, { port }: Service): Promise<Bank> {
  const { query, pool, end } = connect(kind, port);
  await sqlLedger({ pool, migrate: 'auto' }).stats({});
  await query('create table charges (order_id varchar(50) not null, receipt varchar(50) not null)');
  await query('create table withdrawals (order_id varchar(50) not null)');
  const own = [PROGRAM, kind, String(port), databases[kind], String(LEASE_MS)];
  const args = ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning', ...own];
  return {
    start: (killAt) =>
      startChild({ command: process.execPath, args, env: killAt === undefined ? {} : { KILL_AT: String(killAt) } }),
    async effects(orderId) {
      const receipts = (await query(`select receipt from charges where order_id = '${orderId}'`)).map(
        (row) => row.receipt,
      );
      const [counted] = await query(`select count(*) as n from withdrawals where order_id = '${orderId}'`);
      return { receipts, withdrawals: Number(counted?.n) };
    },
    [Symbol.asyncDispose]: end,
  };
}

function connect(kind: Kind, port: number): { query: Query; pool: SqlPool; end: () => Promise<void> } {
  const at = { host: '127.0.0.1', port, database: databases[kind] };
  if (kind === 'postgres') {
    const pool = new pg.Pool({ ...at, user: 'postgres', max: 2 });
    return { pool, query: async (text) => (await pool.query(text)).rows, end: () => pool.end() };
  }
  const pool = mysql.createPool({ ...at, user: 'root', connectionLimit: 2 });
  const eyes = pool.promise();
  return {
    pool,
    query: async (text) => (await eyes.query(text))[0] as Record<string, unknown>[],
    end: () => eyes.end(),
  };
}

/** Asks until the operation has ended. */
async function settled(child: Child, orderId: string): Promise<Record<string, unknown>> {
  for (;;) {
    const answer = await child.call('pay', { orderId }, meta(`op_${orderId}`)).catch((error: Error) => error);
    if (!(answer instanceof Error)) return answer;
    expect(blockOf(answer as never)).toMatchObject({ reason: 'in-progress' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Calls a server that dies at a step, and then one that does not. */
async function live(world: Bank, survivor: Child, killAt: number) {
  const orderId = `order ${killAt}`;
  const first = await (async () => {
    await using child = await world.start(killAt);
    return child.call('pay', { orderId }, meta(`op_${orderId}`)).catch(() => undefined);
  })();
  const answer = await settled(survivor, orderId);
  const { receipts, withdrawals } = await world.effects(orderId);
  expect({ killAt, receipts: receipts.length, withdrawals }).toEqual({ killAt, receipts: 1, withdrawals: 1 });
  expect(JSON.stringify(answer.content)).toContain(String(receipts[0]));
  const block = blockOf(answer);
  expect(block).toMatchObject({ ack: true, exactlyOnce: true });
  if (first !== undefined) expect(bytesOf(answer)).toBe(bytesOf(first));
  return { killed: first === undefined, ranBefore: block.duplicate === true };
}

describe.each(['postgres', 'mysql'] as const)('on %s', (kind) => {
  let service: Service;
  beforeAll(async () => {
    service = await starts[kind]();
  });
  afterAll(() => service.stop());

  it('[G:S8] killed around any step of it: one effect, no doubt, and the answer is that of the effect', async () => {
    await using world = await bank(kind, service);
    await using survivor = await world.start();
    const lives: Awaited<ReturnType<typeof live>>[] = [];
    for (let next = 1; next < ENOUGH && lives.at(-1)?.killed !== false; next += AT_ONCE * DISTANCE) {
      const points = Array.from({ length: AT_ONCE }, (_, more) => next + more * DISTANCE);
      lives.push(...(await Promise.all(points.map((killAt) => live(world, survivor, killAt)))));
    }
    const kills = lives.filter(({ killed }) => killed);
    const after = kills.filter(({ ranBefore }) => ranBefore).length;
    console.log(`transactional on ${kind}: ${kills.length} kills, ${after} after the commit`);
    expect(kills.length).toBeGreaterThanOrEqual(10);
    expect(after).toBeGreaterThan(0);
    expect(kills.length - after).toBeGreaterThan(0);
    expect(lives.at(-1)?.killed).toBe(false); // it came to the end
  });
});
