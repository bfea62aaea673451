/** Public face `@mcp-tx/sql/sqlite`: a ledger in one SQLite file. Every name here is public API. */

export type {
  AuditTable,
  CallsView,
  LedgerTables,
  MigrationsTable,
  OperationsTable,
  ResultsTable,
} from './operations/tables.ts';
export type { OwnSqliteTransaction } from './sqlite/enroll.ts';
export type { SqliteLedger } from './sqlite/sqlite-ledger.ts';
export { sqliteLedger } from './sqlite/sqlite-ledger.ts';
export type { SqliteLedgerOptions } from './sqlite/sqlite-ledger-options.ts';
export type { SqliteTransaction } from './sqlite/transaction.ts';
