/** The shop: where its files lie, the rules of its tools, and the options of MCP-Tx for its two servers. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { McpTxOptions, ToolRule } from '@mcp-tx/core';
import type { Ledger } from '@mcp-tx/core/ledger';
import { stdio } from '@mcp-tx/core/sdk-v1';
import type { SqliteLedger } from '@mcp-tx/sql/sqlite';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { CATALOGUE_FOLDER, filesystemCommand, paymentsCommand } from './commands.ts';
import { paymentLogPath } from './payment-log.ts';
import type { ShopSettings } from './settings.ts';

/** The servers of the shop, and the tools of each that a stranger may call: the allow-lists of the apps. */
export const SHOP_TOOLS = {
  payments: ['charge', 'list_charges'],
  catalogue: ['list_directory', 'read_text_file'],
} as const;

export type ShopServer = keyof typeof SHOP_TOOLS;

/**
 * What the shop says about its tools. `charge` has no rule for repeats, so that it runs at most once. It has no probe either, so that
 * you see doubt as it is; with `probe: probeCharge` the engine would look for itself.
 */
export const SHOP_RULES = {
  payments: { charge: { storeArguments: true }, list_charges: { readOnly: true } },
  catalogue: { list_directory: { readOnly: true }, read_text_file: { readOnly: true } },
} as const satisfies Record<ShopServer, Readonly<Record<string, ToolRule>>>;

/** Opens the shop's ledger, a SQLite file; makes the folder if need be. The caller closes it. */
export function openShopLedger({ folder }: ShopSettings): SqliteLedger {
  mkdirSync(folder, { recursive: true });
  return sqliteLedger(join(folder, 'ledger.db'));
}

/** Options of `createMcpTx` for the payments server. */
export function paymentsOptions({ folder, chargeMs, faults }: ShopSettings, ledger: Ledger): McpTxOptions {
  mkdirSync(folder, { recursive: true });
  const server = stdio(paymentsCommand({ logPath: paymentLogPath(folder), chargeMs, faults }));
  return { name: 'payments', server, ledger, requireDurability: 'fsync', tools: SHOP_RULES.payments };
}

/** Options of `createMcpTx` for the catalogue. */
export function catalogueOptions(ledger: Ledger): McpTxOptions {
  const server = stdio({ ...filesystemCommand(CATALOGUE_FOLDER), cwd: CATALOGUE_FOLDER, stderr: 'ignore' });
  return { name: 'catalogue', server, ledger, tools: SHOP_RULES.catalogue };
}
