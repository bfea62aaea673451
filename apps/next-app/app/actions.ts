/** What the page may have done beside calling tools. */
'use server';

import { McpTxError } from '@mcp-tx/core';
import type { ActionResult } from '@mcp-tx/next';
import { action } from '@mcp-tx/next';
import { payments } from '../lib/shop.ts';

const resolve = action(
  { client: payments, authenticate: 'single-tenant' },
  async (mcpTx, operationId: string, happened: boolean, reason: string) => {
    // Through the bound instance first: an operation of somebody else's is none.
    if ((await mcpTx.getOperation(operationId)) === undefined)
      throw new McpTxError('OPERATION_NOT_FOUND', 'there is no such operation');
    const tx = await payments();
    const outcome = happened ? 'completed' : 'not_executed';
    const { state } = await tx.resolve(operationId, { outcome, by: 'shop operator', reason });
    return state;
  },
);

/** Ends the doubt about an operation by a person's word. */
export async function endDoubt(operationId: string, happened: boolean, reason: string): Promise<ActionResult<string>> {
  return resolve(operationId, happened, reason);
}
