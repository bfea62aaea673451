/** Orders: charging one is an effect, so it has a key; looking at its charges is none. */
import type { McpTx } from '@mcp-tx/core';
import { mcpTx } from '@mcp-tx/express';
import { json, Router } from 'express';

/** `POST /:id/charge` and `GET /:id/charges`. */
export function orderRoutes(payments: McpTx): Router {
  const routes = Router().use(json(), mcpTx({ client: payments, authenticate: 'single-tenant' }));
  routes.post('/:id/charge', async (req, res) => {
    const orderId = req.params.id;
    const { amount } = (req.body ?? {}) as { readonly amount?: number };
    const { result, meta } = await req.mcpTx.callTool(
      'charge',
      { orderId, amount },
      { idempotencyKey: `order:${orderId}` },
    );
    const { duplicate, attempts, operationId } = meta;
    if (result.isError === true) res.status(402).json({ refused: result.content, operationId });
    else res.json({ charge: result.structured, duplicate, attempts, operationId });
  });
  routes.get('/:id/charges', async (req, res) => {
    const { result } = await req.mcpTx.callTool('list_charges', { orderId: req.params.id });
    res.json(result.structured);
  });
  return routes;
}
