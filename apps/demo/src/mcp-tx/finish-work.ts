/** Brings the work to its end once a worker has left: lists what is in doubt, ends the doubt, and does what did not happen. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpTx, OperationRecord } from '@mcp-tx/core';
import type { Lane } from '../work/lane.ts';
import { makeCalls } from './make-calls.ts';
import { listInDoubt, operationOf, recordsOf, workLeft } from './work-left.ts';

/** One operation that was in doubt, and how that ended. */
export interface Doubt {
  readonly operationId: string;
  readonly title: string;
  /** Why it was in doubt. */
  readonly reason: string;
  readonly end: 'happened' | 'did not happen' | 'still in doubt';
  /** Who found out, and how: the last line of the ledger's audit trail. */
  readonly found: string;
  /** When the call was made, epoch ms. */
  readonly at: number;
}

/** What to do beside asking the probes. */
export type EndDoubt = (tx: McpTx, lane: Lane) => Promise<void>;

const ROUNDS = 12;
const PAUSE_MS = 250;

/** Works until nothing is left to do and nothing is in doubt; gives up after some rounds. Returns every doubt there was. */
export async function finishWork(
  tx: McpTx,
  lane: Lane,
  signal: AbortSignal,
  endDoubt: EndDoubt | undefined,
): Promise<readonly Doubt[]> {
  const doubted = new Map<string, OperationRecord>();
  const note = (records: Iterable<OperationRecord>): void => {
    for (const record of records) if (!doubted.has(record.operationId)) doubted.set(record.operationId, record);
  };
  for (let round = 1; round <= ROUNDS; round += 1) {
    signal.throwIfAborted();
    note(await listInDoubt(tx, lane));
    await tx.sweep();
    note(await listInDoubt(tx, lane));
    await endDoubt?.(tx, lane);
    const left = await workLeft(tx, lane);
    if (left.length > 0) await makeCalls(tx, lane.tool, left, { signal });
    else if ((await listInDoubt(tx, lane)).length > 0) await sleep(PAUSE_MS);
    else break;
  }
  const records = [...(await recordsOf(tx, lane)).values()];
  note(records.filter(({ resolvedBy }) => resolvedBy !== undefined)); // doubted and resolved in one sweep
  return Promise.all([...doubted.values()].map((record) => describe(tx, lane, record)));
}

async function describe(tx: McpTx, lane: Lane, doubted: OperationRecord): Promise<Doubt> {
  const now = await tx.getOperation(doubted.operationId);
  const [audit] = (await tx.auditTrail(doubted.operationId)).slice(-1);
  const { outcome } = doubted;
  return {
    operationId: doubted.operationId,
    title: operationOf(lane, doubted)?.title ?? doubted.tool,
    reason: outcome?.state === 'in_doubt' ? outcome.reason : 'owner-lost',
    end: now?.state === 'completed' ? 'happened' : now?.state === 'failed' ? 'did not happen' : 'still in doubt',
    found: audit === undefined ? 'nobody looked' : `${audit.by}: ${audit.reason}`,
    at: doubted.createdAt,
  };
}
