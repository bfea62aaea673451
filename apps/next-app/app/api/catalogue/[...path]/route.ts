/** The HTTP API of the catalogue server. */
import { createMcpTxHandlers } from '@mcp-tx/next';
import { SHOP_TOOLS } from 'shop';
import { catalogue } from '../../../../lib/shop.ts';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

export const { GET, POST } = createMcpTxHandlers({
  client: catalogue,
  tools: SHOP_TOOLS.catalogue,
  authenticate: 'single-tenant', // an app for one person on this machine: other host names and other pages are refused
});
