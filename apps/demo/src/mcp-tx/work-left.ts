/** What the ledger has on the work of a lane: what is done, what is in doubt, and what is still to be done under which key. */
import type { McpTx, OperationRecord } from '@mcp-tx/core';
import type { Lane, Operation } from '../work/lane.ts';

/** A call to be made. */
export interface Call {
  readonly operation: Operation;
  readonly key: string;
}

/** A second go at an operation has its key with a number behind it. */
const AGAIN = '#';

/** All records of a lane's operations, by key. */
export async function recordsOf(tx: McpTx, lane: Lane): Promise<ReadonlyMap<string, OperationRecord>> {
  const records = new Map<string, OperationRecord>();
  let cursor: string | undefined;
  do {
    const query = { tool: lane.tool, serverName: lane.server, limit: 1_000 };
    const page = await tx.listOperations(cursor === undefined ? query : { ...query, cursor });
    for (const record of page.records) {
      if (operationOf(lane, record) !== undefined) records.set(record.idempotencyKey ?? '', record);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return records;
}

/** The operations of a lane that are in doubt now. */
export async function listInDoubt(tx: McpTx, lane: Lane): Promise<readonly OperationRecord[]> {
  const records = await recordsOf(tx, lane);
  return [...records.values()].filter(({ state }) => state === 'in_doubt');
}

/**
 * The calls that are still to be made: those never made or given back unsent under their own key, and those that somebody
 * found not to have happened under a new one. What is done or in doubt is not among them.
 */
export async function workLeft(tx: McpTx, lane: Lane): Promise<readonly Call[]> {
  const records = await recordsOf(tx, lane);
  return lane.operations.flatMap((operation) => {
    let key = operation.key;
    for (let go = 2; records.get(key)?.state === 'failed'; go += 1) key = `${operation.key}${AGAIN}${go}`;
    const state = records.get(key)?.state;
    return state === 'completed' || state === 'in_doubt' ? [] : [{ operation, key }];
  });
}

/** Which of a lane's operations a record is about. */
export function operationOf(lane: Lane, { idempotencyKey = '' }: OperationRecord): Operation | undefined {
  const [key] = idempotencyKey.split(AGAIN);
  return lane.operations.find((operation) => operation.key === key);
}
