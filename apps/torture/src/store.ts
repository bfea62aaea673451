// The stores that a run can be over: started privately by the run, opened by each worker for itself.
import { join } from 'node:path';
import type { Ledger, LedgerReader } from '@mcp-tx/core/ledger';
import { redisLedger } from '@mcp-tx/redis';
import { sqlLedger } from '@mcp-tx/sql';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import type { Service } from '@mcp-tx/testing/services';
import { startMariadb, startPostgres, startRedis } from '@mcp-tx/testing/services';
import mysql from 'mysql2';
import pg from 'pg';

export const STORES = ['sqlite', 'postgres', 'mariadb', 'redis'] as const;
export type StoreKind = (typeof STORES)[number];

/** Where a store is; plain JSON, for a worker's argument. */
export interface StoreAddress {
  readonly kind: StoreKind;
  /** A file, or nothing. */
  readonly file: string;
  /** A port, or 0. */
  readonly port: number;
}

/** A store of the run's own. */
export interface Store {
  readonly address: StoreAddress;
  /** The server behind it, which can be killed; a file has none. */
  readonly service: Service | undefined;
}

/** A ledger on a store, and whatever it was opened with. */
export interface OpenStore {
  readonly ledger: Ledger & LedgerReader;
  close(): Promise<void>;
}

const starts = { postgres: startPostgres, mariadb: startMariadb, redis: () => startRedis() } as const;

/** Starts a store. `folder` is the run's own. */
export async function startStore(kind: StoreKind, folder: string): Promise<Store> {
  if (kind === 'sqlite') return { address: { kind, file: join(folder, 'ledger.db'), port: 0 }, service: undefined };
  const service = await starts[kind]();
  const store = { address: { kind, file: '', port: service.port }, service };
  const { ledger, close } = openStore(store.address, 'auto');
  await ledger.stats({}); // makes the tables
  await close();
  return store;
}

/** Opens it, as a process of its own would. */
export function openStore({ kind, file, port }: StoreAddress, migrate: 'auto' | 'check' = 'check'): OpenStore {
  if (kind === 'sqlite') return alone(sqliteLedger(file));
  if (kind === 'redis') return alone(redisLedger({ url: `redis://127.0.0.1:${port}` }));
  const at = { host: '127.0.0.1', port };
  if (kind === 'postgres') {
    const pool = new pg.Pool({ ...at, user: 'postgres', database: 'postgres', connectionTimeoutMillis: 2_000 });
    return withPool(sqlLedger({ pool, migrate }), () => pool.end());
  }
  const pool = mysql.createPool({ ...at, user: 'root', database: 'mcp_tx' });
  return withPool(sqlLedger({ pool, migrate }), () => pool.promise().end());
}

function alone(ledger: Ledger & LedgerReader): OpenStore {
  return { ledger, close: () => ledger.close() };
}

function withPool(ledger: Ledger & LedgerReader, end: () => Promise<void>): OpenStore {
  return {
    ledger,
    async close() {
      await ledger.close();
      await end();
    },
  };
}
