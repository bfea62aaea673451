/** Public face `@mcp-tx/sql`: a ledger on PostgreSQL, MySQL or MariaDB. Every name here is public API. */
export type { AuditTable, LedgerTables, MigrationsTable, OperationsTable, ResultsTable } from './operations/tables.ts';
export type { SqlAnswer, SqlTransaction } from './remote/lent-connection.ts';
export type { KyselyTransaction, OwnTransaction, SqlConnection } from './remote/own-transaction.ts';
export type { SqlPool } from './remote/pool-dialect.ts';
export type { RemoteTables, SqlLedger } from './remote/sql-ledger.ts';
export { sqlLedger } from './remote/sql-ledger.ts';
export type { SqlLedgerOptions } from './remote/sql-ledger-options.ts';
