/** The operator of the demo: a person who ends doubt by looking into the payment log, with a name and a reason. */
import type { McpTx } from '@mcp-tx/core';
import type { Lane } from '../work/lane.ts';
import { listInDoubt, operationOf } from './work-left.ts';

/** Who the ledger's audit trail names. */
const OPERATOR = 'operator';

/** Resolves every operation of a lane that is in doubt. */
export async function resolveByLog(tx: McpTx, lane: Lane): Promise<void> {
  const effects = lane.effects();
  for (const record of await listInDoubt(tx, lane)) {
    const key = operationOf(lane, record)?.key ?? '';
    const happened = (effects.get(key) ?? 0) > 0;
    await tx.resolve(record.operationId, {
      outcome: happened ? 'completed' : 'not_executed',
      by: OPERATOR,
      reason: `the payment log has ${happened ? 'a' : 'no'} charge of ${key}`,
    });
  }
}
