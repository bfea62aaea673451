/** The first layout on database servers. Never edited after its release: changes are migrations of their own. */
import type { ColumnDefinitionBuilder, Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';

type Type = 'bigint' | 'integer' | RawBuilder<unknown>;

/** Texts and bytes of a kind of server. MySQL: binary columns, because its collations merge texts. */
interface Types {
  readonly key: Type;
  readonly digest: Type;
  readonly text: Type;
  /** Text that an index needs. */
  readonly short: Type;
  readonly long: Type;
}

const TYPES: Readonly<Record<'postgres' | 'mysql', Types>> = {
  postgres: { key: sql`bytea`, digest: sql`bytea`, text: sql`text`, short: sql`text`, long: sql`text` },
  mysql: {
    key: sql`binary(16)`,
    digest: sql`varbinary(4096)`,
    text: sql`blob`,
    short: sql`varbinary(700)`,
    long: sql`longblob`,
  },
};

export async function operationsOn(db: Kysely<unknown>, kind: 'postgres' | 'mysql'): Promise<void> {
  await operations(db, kind);
  await indexes(db, kind);
  await results(db, kind);
  await audit(db, kind);
}

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();

async function operations(db: Kysely<unknown>, kind: 'postgres' | 'mysql'): Promise<void> {
  const { key, digest, text, short, long } = TYPES[kind];
  let table = db.schema.createTable('mcp_tx_operations').addColumn('id', 'bigint', identity(kind));
  const columns: readonly (readonly [string, Type, 'required' | 'optional'])[] = [
    ['operation_key', key, 'required'],
    ['digest', digest, 'required'],
    ['scope', text, 'required'],
    ['server_name', text, 'required'],
    ['tool', text, 'required'],
    ['idempotency_key', text, 'optional'],
    ['fingerprint', short, 'optional'],
    ['request_id', text, 'required'],
    ['owner_token', text, 'optional'],
    ['state', short, 'required'],
    ['mode', short, 'required'],
    ['attempts', 'integer', 'required'],
    ['attempt_limit', 'bigint', 'required'],
    ['fence', 'bigint', 'required'],
    ['took_over', 'integer', 'required'],
    ['lease_until', 'bigint', 'required'],
    ['deadline_at', 'bigint', 'required'],
    ['settle_window_ms', 'bigint', 'required'],
    ['retention_ms', 'bigint', 'required'],
    ['arguments', long, 'optional'],
    ['send_until', 'bigint', 'optional'],
    ['quarantine_session', short, 'optional'],
    ['created_at', 'bigint', 'required'],
    ['sent_at', 'bigint', 'optional'],
    ['ended_at', 'bigint', 'optional'],
    ['expires_at', 'bigint', 'optional'],
    ['outcome', long, 'optional'],
    ['resolved_by', text, 'optional'],
    ['contradicted', 'integer', 'required'],
    ['tombstone', 'integer', 'required'],
  ];
  for (const [name, type, need] of columns) {
    const isFlag = name === 'took_over' || name === 'contradicted' || name === 'tombstone';
    const flag = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull().defaultTo(0);
    table = table.addColumn(name, type, isFlag ? flag : need === 'required' ? required : undefined);
  }
  await table.addUniqueConstraint('mcp_tx_operation_key', ['operation_key'] as never[]).execute();
}

/** Partial where the server can: an operation that ended well costs an entry in the key's index and in that of expiry, no more. */
async function indexes(db: Kysely<unknown>, kind: 'postgres' | 'mysql'): Promise<void> {
  const on = (name: string, columns: string[], where: string) => {
    const index = db.schema.createIndex(name).on('mcp_tx_operations').columns(columns);
    return kind === 'postgres' ? index.where(sql<boolean>`${sql.raw(where)}`) : index;
  };
  await on('mcp_tx_leases', ['lease_until'], 'lease_until > 0').execute();
  await on('mcp_tx_expiry', ['expires_at'], 'expires_at is not null').execute();
  await on('mcp_tx_in_doubt', ['state', 'id'], "state in ('in_doubt', 'sent')").execute();
  await on('mcp_tx_contradicted', ['contradicted', 'id'], 'contradicted = 1').execute();
  await on(
    'mcp_tx_quarantine',
    ['fingerprint'],
    "quarantine_session is not null and state in ('sent', 'in_doubt')",
  ).execute();
}

async function results(db: Kysely<unknown>, kind: 'postgres' | 'mysql'): Promise<void> {
  await db.schema
    .createTable('mcp_tx_results')
    .addColumn('operation', 'bigint', (column) => column.primaryKey())
    .addColumn('result', TYPES[kind].long, required)
    .execute();
}

async function audit(db: Kysely<unknown>, kind: 'postgres' | 'mysql'): Promise<void> {
  const { key, text, short, long } = TYPES[kind];
  await db.schema
    .createTable('mcp_tx_audit')
    .addColumn('id', 'bigint', identity(kind))
    .addColumn('operation_key', key, required)
    .addColumn('at', 'bigint', required)
    .addColumn('by', text, required)
    .addColumn('action', short, required)
    .addColumn('state', short, required)
    .addColumn('reason', long, required)
    .execute();
  await db.schema.createIndex('mcp_tx_audit_of').on('mcp_tx_audit').column('operation_key').execute();
}

function identity(kind: 'postgres' | 'mysql'): (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder {
  return (column) =>
    kind === 'postgres' ? column.primaryKey().generatedAlwaysAsIdentity() : column.primaryKey().autoIncrement();
}
