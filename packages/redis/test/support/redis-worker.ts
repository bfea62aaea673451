// Opens the ledger under test in a child process of the contract suite.
import type { Ledger, LedgerReader } from '@mcp-tx/core/ledger';
import { redisLedger } from '../../src/index.ts';

export async function openLedger(argument: string): Promise<Ledger & LedgerReader> {
  return redisLedger(JSON.parse(argument) as { readonly url: string; readonly prefix: string });
}
