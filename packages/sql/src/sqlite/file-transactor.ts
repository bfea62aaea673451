/** Begins and ends the transactions of batches on the ledger's own handle. */
import type { DatabaseSync } from 'node:sqlite';
import type { Transactor } from './group-commit.ts';
import { isBusy, toLedgerError } from './sqlite-errors.ts';

/** A {@link Transactor} over one handle. */
export function fileTransactor(database: DatabaseSync, path: string): Transactor {
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback() {
      try {
        database.exec('rollback');
      } catch {
        // SQLite has rolled back by itself, as it does when the disk is full.
      }
    },
    isBusy,
    toLedgerError: (error) => toLedgerError(error, path),
  };
}
