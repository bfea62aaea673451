// Opens the ledger under test in a child process of the contract suite.
import type { Ledger, LedgerReader } from '@mcp-tx/core/ledger';
import type { Kind } from './remote.ts';
import { connectTo, openLedger as open } from './remote.ts';

export async function openLedger(argument: string): Promise<Ledger & LedgerReader> {
  const { kind, port, name } = JSON.parse(argument) as {
    readonly kind: Kind;
    readonly port: number;
    readonly name: string;
  };
  const database = connectTo(kind, port, name);
  const ledger = open(database);
  const close = ledger.close.bind(ledger);
  return Object.assign(ledger, { close: () => close().then(() => database.end()) });
}
