// PostgreSQL: our ledger, two plain statements, and those who run functions or jobs on it. Every commit is synced to a disk.
import { sqlLedger } from '@mcp-tx/sql';
import { startPostgres } from '@mcp-tx/testing/services';
import pg from 'pg';
import { openSameRow } from './same-row.ts';
import type { Store } from './store.ts';
import { keyBytes, oneByOne, RESULT, tool } from './subject.ts';

/** Connections of each subject. */
const CONNECTIONS = 16;
const DATABASES = ['ledger', 'bare', 'same_row', 'pgboss', 'graphile'] as const;

const INSERT = 'insert into calls (key, fingerprint, state) values ($1, $2, $3) returning id';
const UPDATE = 'update calls set state = $2, result = $3, expires_at = $4 where id = $1';

/** Starts it, with its data on a disk or in memory. */
export async function openPostgres(onDisk: boolean): Promise<Store> {
  const server = await startPostgres({ onDisk });
  const poolOf = (database: string, port = server.port): pg.Pool =>
    new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', database, max: CONNECTIONS });
  const urlOf = (database: string): string => `postgres://postgres@127.0.0.1:${server.port}/${database}`;
  const admin = poolOf('postgres');
  for (const name of DATABASES) await admin.query(`create database ${name}`);
  await admin.end();
  const dbos = async () => (await import('./peers/dbos.ts')).openDbos(urlOf('dbos'), CONNECTIONS);
  return {
    name: 'postgres',
    bareSays: 'pg, two plain prepared statements, each a commit',
    port: server.port,
    async openLedger(port) {
      const pool = poolOf('ledger', port);
      const ledger = sqlLedger({ pool, migrate: 'auto' });
      const close = () => ledger.close().then(() => pool.end());
      return { ledger, [Symbol.asyncDispose]: close };
    },
    openBare: () => openBare(poolOf('bare')),
    peers: [
      {
        id: 'sameRow',
        says: 'pg, two plain prepared statements that write the row that the ledger writes',
        open: () => openSameRow(poolOf('same_row')),
      },
      {
        id: 'dbosSteps',
        says: '@dbos-inc/dbos-sdk 5.3.0, steps, 50 in a workflow',
        open: async () => (await dbos()).steps,
      },
      {
        id: 'dbosWorkflows',
        says: '@dbos-inc/dbos-sdk 5.3.0, workflows of one step',
        open: async () => (await dbos()).workflows,
      },
      {
        id: 'pgBoss',
        says: 'pg-boss 12.38.0, from send to handler',
        open: async () => (await import('./peers/pg-boss.ts')).openPgBoss(urlOf('pgboss'), CONNECTIONS),
      },
      {
        id: 'graphileWorker',
        says: 'graphile-worker 0.18.0, from addJob to handler, with a local queue',
        open: async () => (await import('./peers/graphile-worker.ts')).openGraphileWorker(poolOf('graphile')),
      },
    ],
    goals: [
      { id: 'P1', callers: 1, over: 'sameRow', atLeast: 0.85 },
      { id: 'P2.steps', callers: 64, over: 'dbosSteps', atLeast: 10 },
      { id: 'P2.workflows', callers: 64, over: 'dbosWorkflows', atLeast: 20 },
    ],
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function openBare(pool: pg.Pool) {
  await pool.query(`create table if not exists calls (id bigint generated always as identity primary key,
    key bytea not null unique, fingerprint text, state text not null, result text, expires_at bigint)`);
  const opened = performance.timeOrigin + performance.now();
  return oneByOne(
    async (n) => {
      const key = keyBytes(`order:${opened}:${n}`);
      const values = [key, `1:${key.toString('base64url')}`, 'sent'];
      const { rows } = await pool.query<{ readonly id: string }>({ name: 'insert', text: INSERT, values });
      await tool();
      const end = [rows[0]?.id, 'completed', RESULT, Date.now() + 3_600_000];
      await pool.query({ name: 'update', text: UPDATE, values: end });
    },
    () => pool.end(),
  );
}
