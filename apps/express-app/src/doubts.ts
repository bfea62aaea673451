/** What an operator does: look at what is in doubt, and end it with a name and a reason. */
import type { McpTx, Verdict } from '@mcp-tx/core';
import { json, Router } from 'express';

/** `GET /` and `POST /:operationId`. An app with users lets operators in here only. */
export function doubtRoutes(payments: McpTx): Router {
  const routes = Router().use(json());
  routes.get('/', async (_req, res) => {
    const { records } = await payments.listOperations({ states: ['in_doubt'], serverName: payments.name });
    res.json(
      records.map(({ operationId, tool, idempotencyKey, sentAt }) => ({ operationId, tool, idempotencyKey, sentAt })),
    );
  });
  routes.post('/:operationId', async (req, res) => {
    const { operationId, state, resolvedBy } = await payments.resolve(req.params.operationId, req.body as Verdict);
    res.json({ operationId, state, resolvedBy });
  });
  return routes;
}
