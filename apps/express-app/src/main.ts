/** Opens the shop: two MCP servers behind one Express app, on one ledger. */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createMcpTx } from '@mcp-tx/core';
import { createMcpTxRouter, drain, mcpTxErrorHandler } from '@mcp-tx/express';
import express from 'express';
import { catalogueOptions, openShopLedger, paymentsOptions, SHOP_TOOLS, shopSettings } from 'shop';
import { catalogueRoutes } from './catalogue.ts';
import { doubtRoutes } from './doubts.ts';
import { orderRoutes } from './orders.ts';

const settings = shopSettings(join(import.meta.dirname, '..'), process.env);
const ledger = openShopLedger(settings);
const payments = createMcpTx(paymentsOptions(settings, ledger));
const catalogue = createMcpTx(catalogueOptions(ledger));

const authenticate = 'single-tenant'; // only loopback names are answered; an app with users says who they are
const paymentsApi = createMcpTxRouter({ client: payments, authenticate, tools: SHOP_TOOLS.payments, openapi: true });
const catalogueApi = createMcpTxRouter({ client: catalogue, authenticate, tools: SHOP_TOOLS.catalogue, openapi: true });

const app = express().disable('x-powered-by');
app.use('/mcp/payments', paymentsApi);
app.use('/mcp/catalogue', catalogueApi);
app.use('/orders', orderRoutes(payments));
app.use('/catalogue', catalogueRoutes(catalogue));
app.use('/doubts', doubtRoutes(payments));
app.use(mcpTxErrorHandler({ onlyMcpTx: false, mount: '/mcp/payments' }));

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error !== undefined) throw error;
  console.log(`The shop is open at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
drain(server, {
  routers: [paymentsApi, catalogueApi],
  close: [payments, catalogue, ledger],
  signals: ['SIGTERM', 'SIGINT'],
});
