/** The HTTP API of the payments server. */
import { createMcpTxHandlers } from '@mcp-tx/next';
import { SHOP_TOOLS } from 'shop';
import { payments } from '../../../../lib/shop.ts';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

export const { GET, POST } = createMcpTxHandlers({
  client: payments,
  tools: SHOP_TOOLS.payments,
  authenticate: 'single-tenant', // an app for one person on this machine: other host names and other pages are refused
});
