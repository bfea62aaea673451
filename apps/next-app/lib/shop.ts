/** The shop's two servers on one ledger: one instance of each for the whole process, connected when it is first needed. */
import { createMcpTx } from '@mcp-tx/core';
import { mcpTxSingleton } from '@mcp-tx/next';
import { catalogueOptions, openShopLedger, paymentsOptions, shopSettings } from 'shop';

const settings = () => shopSettings(process.cwd(), process.env);
const ledger = mcpTxSingleton('ledger', () => openShopLedger(settings()));

/** The payments server. */
export const payments = mcpTxSingleton('payments', async () =>
  createMcpTx(paymentsOptions(settings(), await ledger())),
);

/** The catalogue. */
export const catalogue = mcpTxSingleton('catalogue', async () => createMcpTx(catalogueOptions(await ledger())));

/** Both, by name. */
export const servers = { payments, catalogue } as const;
