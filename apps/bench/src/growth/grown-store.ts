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

/** A ledger, private and empty. */
export interface GrownStore extends AsyncDisposable {
  readonly ledger: Ledger & LedgerReader;
  /** Bytes that it takes now, in memory or on the disk. */
  size(): Promise<number>;
  /** What the server does by itself, where a store does not grow in half a minute. */
  tidy?(): Promise<void>;
  /** Bytes for a key at most. */
  readonly bytesAtMost: number;
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
    bytesAtMost: 480,
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
  return {
    ledger,
    size: async () => Number(/used_memory:(\d+)/.exec(await eyes.info('memory'))?.[1]),
    bytesAtMost: 400,
    async [Symbol.asyncDispose]() {
      await ledger.close();
      eyes.disconnect();
      await server.stop();
    },
  };
}

/** Bytes in use, once what is garbage has gone. */
export function heapAfterGc(): number {
  for (let n = 0; n < 2; n += 1) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
