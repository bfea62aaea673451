// Opens the ledger under test in a child process of the contract suite.
import type { Ledger, LedgerReader } from '@mcp-tx/core/ledger';
import { sqliteLedger } from '../src/sqlite.ts';

export async function openLedger(path: string): Promise<Ledger & LedgerReader> {
  return sqliteLedger(path);
}
