// Two plain statements that write what the ledger writes for a call, into a table of its own kind: what is left is the ledger's doing.
import { hash } from 'node:crypto';
import { sqlLedger } from '@mcp-tx/sql';
import type pg from 'pg';
import type { Subject } from './subject.ts';
import { freshRequestId, keyBytes, oneByOne, RESULT, tool } from './subject.ts';

const COLUMNS = [
  ...['operation_key', 'digest', 'scope', 'server_name', 'tool', 'idempotency_key', 'fingerprint', 'request_id'],
  ...['owner_token', 'state', 'mode', 'attempts', 'attempt_limit', 'fence', 'lease_until', 'deadline_at'],
  ...['settle_window_ms', 'retention_ms', 'created_at', 'sent_at'],
];
const INSERT = `insert into mcp_tx_operations (${COLUMNS.join(', ')})
  values (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')}) returning id`;
const UPDATE = `update mcp_tx_operations set state = $2, result = $3, ended_at = $4, expires_at = $5, owner_token = null,
  lease_until = 0 where id = $1`;
const [LEASE_MS, DEADLINE_MS, SETTLE_MS, RETENTION_MS] = [15_000, 30_000, 90_000, 3_600_000];

/** Ends the pool when it is disposed of. */
export async function openSameRow(pool: pg.Pool): Promise<Subject> {
  const ledger = sqlLedger({ pool, migrate: 'auto' });
  await ledger.stats({}); // makes the table
  await ledger.close();
  return oneByOne(
    async (n) => {
      const { rows } = await pool.query<{ readonly id: string }>({ name: 'insert', text: INSERT, values: rowOf(n) });
      await tool();
      const now = Date.now();
      const values = [rows[0]?.id, 'completed', RESULT, now, now + RETENTION_MS];
      await pool.query({ name: 'update', text: UPDATE, values });
    },
    () => pool.end(),
  );
}

function rowOf(n: number): unknown[] {
  const [key, now, request] = [`order:${n}`, Date.now(), freshRequestId()];
  return [
    ...[keyBytes(key), keyBytes(`${key}:`), 'default', 'payments', 'charge', key],
    ...[hash('sha256', key, 'base64url'), request, request.slice(-16), 'sent', 'at-most-once', 1, 3, 1],
    ...[now + LEASE_MS, now + DEADLINE_MS, SETTLE_MS, RETENTION_MS, now, now],
  ];
}
