// Intents beside business rows, in the user's own transaction: sent after the commit by whoever has the ledger, never after a
// rollback. The tool's server is a child process; what it did stands in its own log.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { McpTx } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import { enroll, memoryLedger } from '@mcp-tx/core/ledger';
import { stdio } from '@mcp-tx/core/sdk-v1';
import type { Effect } from '@mcp-tx/testing/faulty-server';
import { countEffects, readEffectLog } from '@mcp-tx/testing/faulty-server';
import type { Service } from '@mcp-tx/testing/services';
import { startMariadb, startPostgres } from '@mcp-tx/testing/services';
import { CamelCasePlugin, Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import mysql from 'mysql2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SqlLedger } from '../src/index.ts';
import type { OrderBook, Place } from './support/enroll-worker.ts';
import { intentOf, openBook, payer } from './support/enroll-worker.ts';
import { connectTo, newDatabase } from './support/remote.ts';

vi.setConfig({ testTimeout: 40_000, hookTimeout: 60_000 });
const WORKER = fileURLToPath(new URL('./support/enroll-worker.ts', import.meta.url));
const starts = { postgres: startPostgres, mysql: startMariadb } as const;

describe.each(['sqlite', 'postgres', 'mysql'] as const)('on %s', (kind) => {
  let service: Service | undefined;
  let folder: string;
  let place: Place;
  let log: string;
  let book: OrderBook;
  let count = 0;
  const open: McpTx[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcp-tx-enroll-'));
    if (kind !== 'sqlite') service = await starts[kind]();
  });
  afterAll(async () => {
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    count += 1;
    log = join(folder, `effects-${count}.jsonl`);
    const name = service === undefined ? join(folder, `${count}.db`) : await newDatabase(kind as never, service);
    place = { kind, port: service?.port ?? 0, name };
    book = await openBook(place);
  });
  afterEach(async () => {
    for (const tx of open.splice(0)) await tx.close({ graceMs: 0 });
    await book.end();
  });
  const start = (sweepIntervalMs = 0): McpTx => {
    const tx = payer(book, log, sweepIntervalMs);
    open.push(tx);
    return tx;
  };
  const effects = (): readonly Effect[] => readEffectLog(log);
  const paid = (): unknown[] =>
    effects()
      .map(({ args }) => args.orderId)
      .sort();

  it('what is committed is sent once by the next sweep; what is rolled back never', async () => {
    await book.order('1');
    await book.order('2', false);
    await book.order('3');
    const tx = start();
    expect(await tx.sweep()).toMatchObject({ run: 2 });
    expect(await tx.sweep()).toMatchObject({ run: 0 });
    expect([paid(), await book.orders()]).toEqual([
      ['1', '3'],
      ['1', '3'],
    ]);
    const { records } = await tx.listOperations({ states: ['completed'] });
    expect(records.map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect(records[0]).toMatchObject({ idempotencyKey: 'order:3', tool: 'pay', scope: 'default' });
  });

  it('nothing is sent while the transaction is open, and enrolled again it is the same operation', async () => {
    await book.order('1');
    await book.order('1');
    const other = enroll(book.ledger, undefined as never, { ...intentOf('1'), tool: '' });
    await expect(other).rejects.toMatchObject({ code: 'CALL_INVALID' });
    const tx = start(25);
    await tx.initialize();
    await vi.waitFor(() => expect(paid()).toEqual(['1']), { timeout: 10_000 });
    await book.order('1'); // it has ended
    await tx.sweep();
    expect(paid()).toEqual(['1']);
    expect(await tx.listOperations()).toMatchObject({ records: [{ state: 'completed' }] });
  });

  it('a server that cannot be reached loses no intent, nor does a caller who gives up on it', async () => {
    await book.order('1');
    const nowhere = stdio({ command: '/nowhere/to/be/found' });
    const retry = { maxAttempts: 1 };
    const lame = createMcpTx({
      name: 'payments',
      server: nowhere,
      ledger: book.ledger,
      retry,
      sweepIntervalMs: 0,
      leaseMs: 300,
    });
    open.push(lame);
    expect(await lame.sweep()).toMatchObject({ run: 0, released: 0 });
    const { arguments: args, idempotencyKey } = intentOf('1');
    await expect(lame.callTool('pay', args, { idempotencyKey })).rejects.toMatchObject({ execution: 'none' });
    const [record] = (await lame.listOperations()).records;
    expect(record).toMatchObject({ state: 'claimed', attempts: 0 });
    expect(record?.endedAt).toBeUndefined();
    await sleep(400); // the pause after a release
    expect(await start().sweep()).toMatchObject({ run: 1 });
    expect(paid()).toEqual(['1']);
  });

  it('whoever has the key need not wait for a sweep, and a sweep finds nothing left', async () => {
    await book.order('1');
    const tx = start();
    const { arguments: args, idempotencyKey } = intentOf('1');
    const { meta } = await tx.callTool('pay', args, { idempotencyKey });
    expect(meta).toMatchObject({ duplicate: false, attempts: 1, recorded: true });
    expect(await tx.sweep()).toMatchObject({ run: 0 });
    expect(paid()).toEqual(['1']);
  });

  it('a key of something else is a conflict, and its time is not stretched for ever', async () => {
    await book.order('1');
    const taken = { ...intentOf('2'), idempotencyKey: intentOf('1').idempotencyKey };
    await expect(within(place, book, taken)).rejects.toMatchObject({ code: 'KEY_CONFLICT' });
    await within(place, book, { ...intentOf('3'), sendWithinMs: 1 });
    await sleep(20);
    const tx = start();
    expect(await tx.sweep()).toMatchObject({ run: 1, released: 1 });
    expect(paid()).toEqual(['1']);
    expect(await tx.sweep()).toMatchObject({ run: 0, released: 0 });
  });

  it('transactions of Kysely’s will do as well, and what is none is refused', async () => {
    const database = kind === 'sqlite' ? undefined : connectTo(kind, place.port, place.name, 2);
    const pool = database?.options.pool as never;
    const sqlite = (): DatabaseSync => new DatabaseSync(place.name);
    const dialect =
      kind === 'sqlite'
        ? new SqliteDialect({ database: likeBetterSqlite(sqlite()) as never })
        : new { postgres: PostgresDialect, mysql: MysqlDialect }[kind]({ pool });
    const db = new Kysely<{ orders: { id: string } }>({ dialect, plugins: [new CamelCasePlugin()] });
    await db.transaction().execute(async (transaction) => {
      await transaction.insertInto('orders').values({ id: '1' }).execute();
      expect(await enroll(book.ledger, transaction as never, intentOf('1'))).toMatchObject({ isNew: true });
      expect(await enroll(book.ledger, transaction as never, intentOf('1'))).toMatchObject({ isNew: false });
    });
    for (const none of [db, pool ?? sqlite(), {}, undefined, 7])
      await expect(enroll(book.ledger, none as never, intentOf('2'))).rejects.toMatchObject({ code: 'CALL_INVALID' });
    expect(await start().sweep()).toMatchObject({ run: 1 });
    expect(paid()).toEqual(['1']);
    await db.destroy();
  });

  it('kill -9 again and again between commit and send: every order is paid once, none that was taken back', async () => {
    const kills = 6;
    for (let kill = 0; kill < kills; kill += 2) {
      await Promise.all([0, 1].map((n) => runAndKill(place, log, `${kill + n}`, 15 * (kill + n))));
    }
    await runAndKill(place, log, 'unpaid', 0); // and one before its first send, however quick the others were
    const waiting = await book.orders();
    const before = effects().length;
    expect(waiting.length).toBeGreaterThan(kills * 6);
    expect(before).toBeLessThan(waiting.length);
    const tx = start(50);
    await tx.initialize();
    await vi.waitFor(async () => expect(paid().length).toBeGreaterThanOrEqual(waiting.length), {
      timeout: 20_000,
      interval: 100,
    });
    expect(paid()).toEqual(waiting.toSorted());
    expect([...countEffects(effects(), 'orderId').values()].every((times) => times === 1)).toBe(true);
    console.log(
      `enroll on ${kind}: ${kills + 1} kills, ${waiting.length} orders, ${waiting.length - before} left to the survivor`,
    );
  });
});

it('on mysql a connection with callbacks will do as well', async () => {
  const service = await startMariadb();
  const place: Place = { kind: 'mysql', port: service.port, name: await newDatabase('mysql', service) };
  const book = await openBook(place);
  const connection = mysql.createConnection({
    host: '127.0.0.1',
    port: place.port,
    user: 'root',
    database: place.name,
  });
  const asked = connection.promise();
  await asked.query('begin');
  expect(await enroll(book.ledger as unknown as SqlLedger, connection, intentOf('1'))).toMatchObject({ isNew: true });
  await asked.query('commit');
  expect(await book.ledger.sweep(10)).toMatchObject([{ action: 'runnable' }]);
  await asked.end();
  await book.end();
  await service.stop();
});

it('a ledger without transactions of its users says so', async () => {
  const refused = enroll(memoryLedger() as never, {}, intentOf('1'));
  await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

/** Enrols without an order. */
async function within({ kind, port, name }: Place, { ledger }: OrderBook, intent: Parameters<typeof enroll>[2]) {
  if (kind === 'sqlite') {
    const own = new DatabaseSync(name);
    own.exec('begin immediate');
    return enroll(ledger, own as never, intent)
      .then(() => own.exec('commit'))
      .finally(() => own.close());
  }
  const database = connectTo(kind, port, name, 1);
  const { connection, free } = await database.connect();
  await connection.query('begin');
  return enroll(ledger, connection as never, intent)
    .then(() => connection.query('commit'))
    .finally(async () => {
      await connection.query('rollback');
      free();
      await database.end();
    });
}

/** What Kysely's own dialect expects. */
function likeBetterSqlite(own: DatabaseSync): object {
  return {
    prepare(text: string) {
      const statement = own.prepare(text);
      const reader = text.startsWith('select');
      return { reader, all: (values: []) => statement.all(...values), run: (values: []) => statement.run(...values) };
    },
    close: () => own.close(),
  };
}

async function runAndKill(place: Place, log: string, prefix: string, moreMs: number): Promise<void> {
  const execArgv = ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning'];
  const child = fork(WORKER, [JSON.stringify(place), log, prefix], { execArgv });
  await once(child, 'message');
  await sleep(moreMs);
  child.kill('SIGKILL');
  await once(child, 'exit');
}
