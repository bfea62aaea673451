// A ledger that is filled, and how large what it keeps is, seen without it.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Ledger, LedgerReader } from '@mcp-tx/core/ledger';
import { memoryLedger } from '@mcp-tx/core/ledger';
import { redisLedger } from '@mcp-tx/redis';
import { sqlLedger } from '@mcp-tx/sql';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { startPostgres, startRedis } from '@mcp-tx/testing/services';
import { Redis } from 'ioredis';
import pg from 'pg';

/** Records written straight down: just below a power of two, where the tables of Redis are as full as they get. */
const STRAIGHT = 1_000_000;

/** A ledger, private and empty. */
export interface GrownStore extends AsyncDisposable {
  readonly ledger: Ledger & LedgerReader;
  /** Bytes that it takes now, in memory or on the disk. */
  size(): Promise<number>;
  /** What the server does by itself, where a store does not grow in half a minute. */
  tidy?(): Promise<void>;
  /** Bytes for a key at most; where it is 'told', what is there is held against the same records written straight down. */
  readonly bytesAtMost: number | 'told';
  /** Bytes that each takes of the same records in the same server, with the same ways to find one, each written once and by nobody in particular. */
  straightBytes?(): Promise<number>;
}

/** In this process, where every record is on the heap. */
export async function growMemory(operations: number): Promise<GrownStore> {
  const ledger = memoryLedger({ maxRecords: operations * 2 });
  const size = async (): Promise<number> => heapAfterGc();
  return { ledger, size, bytesAtMost: 650, [Symbol.asyncDispose]: () => ledger.close() };
}

/** In a file. */
export async function growSqlite(): Promise<GrownStore> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-growth-'));
  const path = join(folder, 'ledger.db');
  const ledger = sqliteLedger(path);
  return {
    ledger,
    async size() {
      const eyes = new DatabaseSync(path);
      eyes.exec('pragma wal_checkpoint(passive)');
      eyes.close();
      return statSync(path).size;
    },
    bytesAtMost: 420,
    async [Symbol.asyncDispose]() {
      await ledger.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** On PostgreSQL. */
export async function growPostgres(): Promise<GrownStore> {
  const server = await startPostgres({ onDisk: true });
  const pool = new pg.Pool({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres', max: 16 });
  const ledger = sqlLedger({ pool, migrate: 'auto' });
  return {
    ledger,
    async size() {
      const { rows } = await pool.query('select pg_database_size(current_database()) as size');
      return Number(rows[0]?.size);
    },
    async tidy() {
      await pool.query('vacuum mcp_tx_operations');
    },
    bytesAtMost: 'told',
    async straightBytes() {
      await pool.query('create table straight (like mcp_tx_operations including all)');
      await pool.query('insert into straight overriding system value select * from mcp_tx_operations order by id');
      const { rows } = await pool.query(
        "select pg_total_relation_size('straight')::float8 / count(*)::float8 as bytes from straight",
      );
      await pool.query('drop table straight');
      return Number(rows[0]?.bytes);
    },
    async [Symbol.asyncDispose]() {
      await ledger.close();
      await pool.end();
      await server.stop();
    },
  };
}

/** On Redis. */
export async function growRedis(): Promise<GrownStore> {
  const server = await startRedis([], { onDisk: true });
  const ledger = redisLedger({ url: `redis://127.0.0.1:${server.port}` });
  const eyes = new Redis({ port: server.port });
  const size = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await eyes.info('memory'))?.[1]);
  return {
    ledger,
    size,
    bytesAtMost: 'told',
    straightBytes: () => writeStraight(eyes, size),
    async [Symbol.asyncDispose]() {
      await ledger.close();
      eyes.disconnect();
      await server.stop();
    },
  };
}

/**
 * Values and keys as long as those that are there, in a database of their own, each with an entry in two sorted sets: by creation, and
 * by when it may go.
 */
async function writeStraight(eyes: Redis, size: () => Promise<number>): Promise<number> {
  const [, [sample = '']] = await eyes.scan(0, 'MATCH', '*:op:*', 'COUNT', 1_000);
  const [prefix, value] = [sample.slice(0, -26), 'x'.repeat(await eyes.strlen(sample))];
  await eyes.select(1);
  const before = await size();
  for (let n = 0; n < STRAIGHT; ) {
    const pipeline = eyes.pipeline();
    for (const until = n + 1_000; n < until; n += 1) {
      const name = String(n).padStart(26, 'a');
      pipeline
        .set(prefix + name, value)
        .zadd('all', n, `op_${name}`)
        .zadd('expiry', Date.now() + n, `op_${name}`);
    }
    await pipeline.exec();
  }
  const bytes = ((await size()) - before) / STRAIGHT;
  await eyes.select(0);
  return bytes;
}

/** Bytes in use, once what is garbage has gone. */
export function heapAfterGc(): number {
  for (let n = 0; n < 2; n += 1) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
