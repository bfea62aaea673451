/** The instances of MCP-Tx: one per server, all on one SQLite ledger. */
import { join } from 'node:path';
import type { McpTx, ToolRule } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import type { Ledger } from '@mcp-tx/core/ledger';
import { stdio } from '@mcp-tx/core/sdk-v1';
import type { SqliteLedger } from '@mcp-tx/sql/sqlite';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import type { Command } from 'shop';
import { probeCharge } from 'shop';
import { TX_TIMES } from '../settings.ts';
import type { ServerName } from '../work/lane.ts';
import { probeEdit } from './probes.ts';

const TOOLS: Readonly<Record<ServerName, Readonly<Record<string, ToolRule>>>> = {
  filesystem: { edit_file: { probe: probeEdit }, read_text_file: { readOnly: true } },
  payments: { list_charges: { readOnly: true } },
};
const START_TRIES = 10;
const WITH_PROBE = { ...TOOLS.payments, charge: { probe: probeCharge } };

/** Opens the ledger of the demo. */
export function openLedger(folder: string): SqliteLedger {
  return sqliteLedger(join(folder, 'ledger.db'));
}

/** What to open. */
export interface TxStart {
  readonly server: ServerName;
  readonly command: Command;
  readonly ledger: Ledger;
  /** Look up charges that are in doubt; edits are always looked up. */
  readonly probeCharges?: boolean;
  /** What becomes of the server's own words. */
  readonly stderr?: 'inherit' | 'ignore';
}

/** Opens an instance and connects it. On a busy machine a server may take longer to start than a call may take. */
export async function openTx(start: TxStart): Promise<McpTx> {
  const tx = createTx(start);
  for (let tries = 1; ; tries += 1) {
    try {
      await tx.initialize();
      return tx;
    } catch (error) {
      if (tries < START_TRIES) continue;
      await tx.close();
      throw error;
    }
  }
}

function createTx({ server, command, ledger, probeCharges = false, stderr = 'inherit' }: TxStart): McpTx {
  return createMcpTx({
    ...TX_TIMES,
    name: server,
    server: stdio({ ...command, stderr }),
    ledger,
    requireDurability: 'fsync',
    storeArguments: true, // so that a probe after a restart knows what to look for
    tools: server === 'payments' && probeCharges ? WITH_PROBE : TOOLS[server],
  });
}
