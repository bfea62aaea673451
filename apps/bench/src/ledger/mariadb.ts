// MariaDB: our ledger, and two plain statements. Every commit is synced to a disk.
import { sqlLedger } from '@mcp-tx/sql';
import { startMariadb } from '@mcp-tx/testing/services';
import type { ResultSetHeader } from 'mysql2';
import mysql from 'mysql2';
import type { Store } from './store.ts';
import type { Subject } from './subject.ts';
import { keyBytes, oneByOne, RESULT, tool } from './subject.ts';

const INSERT = 'insert into bare_calls (op_key, fingerprint, state) values (?, ?, ?)';
const UPDATE = 'update bare_calls set state = ?, result = ?, expires_at = ? where id = ?';

/** Starts it, with its data on a disk or in memory. */
export async function openMariadb(onDisk: boolean): Promise<Store> {
  const server = await startMariadb({ onDisk });
  const poolOf = (port = server.port): mysql.Pool =>
    mysql.createPool({ host: '127.0.0.1', port, user: 'root', database: 'mcp_tx', connectionLimit: 16 });
  return {
    name: 'mariadb',
    bareSays: 'mysql2, two plain prepared statements, each a commit',
    port: server.port,
    async openLedger(port) {
      const pool = poolOf(port);
      const ledger = sqlLedger({ pool, migrate: 'auto' });
      return { ledger, [Symbol.asyncDispose]: () => ledger.close().then(() => pool.promise().end()) };
    },
    openBare: () => openBare(poolOf().promise()),
    peers: [],
    goals: [],
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function openBare(pool: ReturnType<mysql.Pool['promise']>): Promise<Subject> {
  await pool.query(`create table if not exists bare_calls (id bigint auto_increment primary key,
    op_key binary(16) not null unique, fingerprint varbinary(200), state varbinary(20) not null, result longblob,
    expires_at bigint)`);
  const opened = performance.timeOrigin + performance.now();
  return oneByOne(
    async (n) => {
      const key = keyBytes(`order:${opened}:${n}`);
      const [row] = await pool.execute<ResultSetHeader>(INSERT, [key, `1:${key.toString('base64url')}`, 'sent']);
      await tool();
      await pool.execute(UPDATE, ['completed', RESULT, Date.now() + 3_600_000, row.insertId]);
    },
    () => pool.end(),
  );
}
