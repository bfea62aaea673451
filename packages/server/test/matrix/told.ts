// What the caller of one order was told, in a form that can go between processes.
import type { McpTx } from '@mcp-tx/core';

export interface Told {
  readonly told: string;
  /** The answer's bytes. */
  readonly result?: string;
  readonly guarantee?: string;
  readonly attempts: number;
  /** Operations of the client's ledger that are in doubt afterwards. */
  readonly inDoubt: number;
}

export async function call(tx: McpTx, orderId: string): Promise<Told> {
  const outcome = await tx.tryCallTool('pay', { orderId }, { idempotencyKey: orderId });
  const { records } = await tx.listOperations({ states: ['in_doubt'] });
  const inDoubt = records.filter(({ idempotencyKey }) => idempotencyKey === orderId).length;
  if (outcome.ok) {
    const { guarantee, attempts } = outcome.meta;
    return { told: 'completed', result: JSON.stringify(outcome.result), guarantee, attempts, inDoubt };
  }
  const { code, reason, meta, message } = outcome.error;
  const isDoubt = code === 'IN_DOUBT' && reason === 'server-in-doubt';
  return { told: isDoubt ? 'in doubt' : `${code}: ${message}`, attempts: meta?.attempts ?? 0, inDoubt };
}
