/** Makes a dialect of a pool that somebody else owns, and keeps a server that goes away from ending the process. */
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Dialect, MysqlPool, PostgresPool } from 'kysely';
import { MysqlDialect, PostgresDialect } from 'kysely';
import { preparing } from './prepared.ts';

/** What `pg.Pool` and the pool of `mysql2` have that matters here. */
export type SqlPool = PostgresPool | MysqlPool;

/** What tells them apart. */
interface PoolShape {
  readonly connect?: unknown;
  readonly getConnection?: unknown;
  readonly promise?: unknown;
  readonly pool?: unknown;
  on?(event: string, listener: (value: Emitter) => void): unknown;
}

interface Emitter {
  on?(event: 'error', listener: () => void): unknown;
}

/** @throws McpTxError `CONFIG_INVALID` for a pool of `mysql2/promise`, which would never call back, and for what is no pool */
export function dialectOf(pool: SqlPool, prepare: boolean): Dialect {
  const shape = pool as unknown as PoolShape;
  if (typeof shape?.connect === 'function') {
    listen(shape);
    return new PostgresDialect({ pool: prepare ? preparing(pool as PostgresPool) : (pool as PostgresPool) });
  }
  if (typeof shape?.getConnection !== 'function') throw invalid('pool must be a pg.Pool, or a pool of mysql2');
  if (typeof shape.promise !== 'function')
    throw invalid("this pool is of 'mysql2/promise'; give the one of 'mysql2', which has callbacks");
  return new MysqlDialect({ pool: pool as MysqlPool });
}

const heard = new WeakSet<PoolShape>();

/**
 * A connection that breaks tells so as an event `error`, while it waits in the pool and while it is in use. Nobody would listen,
 * and Node ends a process for that. What was under way on it fails by itself.
 */
function listen(pool: PoolShape): void {
  if (heard.has(pool)) return; // by another ledger on it
  heard.add(pool);
  const ignore = (): void => undefined;
  pool.on?.('error', ignore);
  pool.on?.('connect', (client) => client.on?.('error', ignore));
}

function invalid(what: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `sqlLedger: ${what}`);
}
