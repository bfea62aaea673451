/** The first layout of a ledger file. Never edited after its release: changes are migrations of their own. */
import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';

export const name = 'operations';

export function up(db: Kysely<unknown>): readonly Compilable[] {
  return [operations(db), ...indexes(db), results(db), audit(db), auditIndex(db), calls(db)];
}

function operations(db: Kysely<unknown>): Compilable {
  return db.schema
    .createTable('mcp_tx_operations')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('operation_key', 'blob', (column) => column.notNull().unique())
    .addColumn('digest', 'blob', (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('server_name', 'text', (column) => column.notNull())
    .addColumn('tool', 'text', (column) => column.notNull())
    .addColumn('idempotency_key', 'text')
    .addColumn('fingerprint', 'text')
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addColumn('owner_token', 'text')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('mode', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('attempt_limit', 'integer', (column) => column.notNull())
    .addColumn('fence', 'integer', (column) => column.notNull())
    .addColumn('took_over', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('lease_until', 'integer', (column) => column.notNull())
    .addColumn('deadline_at', 'integer', (column) => column.notNull())
    .addColumn('settle_window_ms', 'integer', (column) => column.notNull())
    .addColumn('retention_ms', 'integer', (column) => column.notNull())
    .addColumn('arguments', 'text')
    .addColumn('send_until', 'integer')
    .addColumn('quarantine_session', 'text')
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('sent_at', 'integer')
    .addColumn('ended_at', 'integer')
    .addColumn('expires_at', 'integer')
    .addColumn('outcome', 'text')
    .addColumn('resolved_by', 'text')
    .addColumn('contradicted', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('tombstone', 'integer', (column) => column.notNull().defaultTo(0));
}

/** All partial: an operation that ended well costs an entry in the key's index and in that of expiry, no more. */
function indexes(db: Kysely<unknown>): readonly Compilable[] {
  const on = (name: string, columns: string[]) => db.schema.createIndex(name).on('mcp_tx_operations').columns(columns);
  return [
    on('mcp_tx_leases', ['lease_until']).where(sql.ref('lease_until'), '>', sql.lit(0)),
    on('mcp_tx_expiry', ['expires_at']).where(sql.ref('expires_at'), 'is not', null),
    on('mcp_tx_in_doubt', ['state']).where(sql.ref('state'), '=', sql.lit('in_doubt')),
    on('mcp_tx_contradicted', ['contradicted']).where(sql.ref('contradicted'), '=', sql.lit(1)),
    on('mcp_tx_quarantine', ['fingerprint', 'quarantine_session'])
      .where(sql.ref('quarantine_session'), 'is not', null)
      .where(sql<boolean>`state in ('sent', 'in_doubt')`),
  ];
}

function results(db: Kysely<unknown>): Compilable {
  return db.schema
    .createTable('mcp_tx_results')
    .addColumn('operation', 'integer', (column) => column.primaryKey())
    .addColumn('result', 'text', (column) => column.notNull());
}

function audit(db: Kysely<unknown>): Compilable {
  return db.schema
    .createTable('mcp_tx_audit')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('operation_key', 'blob', (column) => column.notNull())
    .addColumn('at', 'integer', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull());
}

function auditIndex(db: Kysely<unknown>): Compilable {
  return db.schema.createIndex('mcp_tx_audit_of').on('mcp_tx_audit').column('operation_key');
}

function calls(db: Kysely<unknown>): Compilable {
  return db.schema.createView('mcp_tx_calls').as(
    sql`select request_id, scope, server_name, tool, arguments, idempotency_key, attempts, state, result, created_at, ended_at
        from mcp_tx_operations left join mcp_tx_results on operation = mcp_tx_operations.id where tombstone = 0`,
  );
}
