// Writes orders and the intents to pay them, each pair in one transaction, and pays what it finds, until it is killed.
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { McpTx } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import type { EnrollingLedger } from '@mcp-tx/core/ledger';
import { enroll } from '@mcp-tx/core/ledger';
import { stdio } from '@mcp-tx/core/sdk-v1';
import { faultyStdio } from '@mcp-tx/testing/faulty-server';
import { sqliteLedger } from '../../src/sqlite.ts';
import type { Kind } from './remote.ts';
import { connectTo, openLedger } from './remote.ts';

/** A database for orders, with a ledger in it. */
export interface OrderBook {
  readonly ledger: EnrollingLedger<never>;
  /** Writes an order and the intent to pay it. `commit: false`: and takes both back. */
  order(orderId: string, commit?: boolean): Promise<void>;
  orders(): Promise<readonly string[]>;
  end(): Promise<void>;
}

/** Where it is. */
export interface Place {
  readonly kind: Kind | 'sqlite';
  readonly port: number;
  /** Of the database; the path of a file. */
  readonly name: string;
}

const TABLE = 'create table if not exists orders (id varchar(100) not null)';
export const intentOf = (orderId: string) =>
  ({
    server: 'payments',
    tool: 'pay',
    arguments: { orderId, amount: 10 },
    idempotencyKey: `order:${orderId}`,
  }) as const;

export async function openBook({ kind, port, name }: Place): Promise<OrderBook> {
  if (kind === 'sqlite') return openFile(name);
  const database = connectTo(kind, port, name, 4);
  const ledger = openLedger(database);
  await ledger.stats({});
  await database.query(TABLE);
  return {
    ledger,
    async order(orderId, commit = true) {
      const { connection, free } = await database.connect();
      await connection.query('begin');
      await connection.query(`insert into orders values ('${orderId}')`);
      await enroll(ledger, connection, intentOf(orderId));
      await connection.query(commit ? 'commit' : 'rollback');
      free();
    },
    orders: async () => (await database.query('select id from orders')).map(({ id }) => String(id)),
    async end() {
      await ledger.close();
      await database.end();
    },
  };
}

function openFile(path: string): OrderBook {
  const ledger = sqliteLedger(path);
  const own = new DatabaseSync(path);
  own.exec(`pragma busy_timeout = 5000; ${TABLE}`);
  return {
    ledger,
    async order(orderId, commit = true) {
      own.exec('begin immediate');
      own.prepare('insert into orders values (?)').run(orderId);
      await enroll(ledger, own, intentOf(orderId));
      own.exec(commit ? 'commit' : 'rollback');
    },
    orders: async () =>
      own
        .prepare('select id from orders')
        .all()
        .map(({ id }) => String(id)),
    async end() {
      own.close();
      await ledger.close();
    },
  };
}

/** An instance that pays, over a server that recognises repeats. */
export function payer({ ledger }: Pick<OrderBook, 'ledger'>, effectLog: string, sweepIntervalMs: number = 0): McpTx {
  const server = stdio(faultyStdio({ effectLog, aware: true }));
  return createMcpTx({ name: 'payments', server, ledger, sweepIntervalMs, leaseMs: 1_000, timeoutMs: 5_000 });
}

async function work(place: Place, effectLog: string, prefix: string): Promise<void> {
  const book = await openBook(place);
  const tx = payer(book, effectLog, prefix === 'unpaid' ? 0 : 20);
  await tx.initialize();
  process.on('disconnect', () => process.exit());
  for (let n = 0; ; n += 1) {
    await book.order(`${prefix}-${n}`, n % 4 !== 3);
    if (n === 8) process.send?.('under way');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [place = '', effectLog = '', prefix = ''] = process.argv.slice(2);
  await work(JSON.parse(place) as Place, effectLog, prefix);
}
