/** The work of one process, done with MCP-Tx: a key for each call, and a ledger that outlives the process. */
import type { Job, Tell } from '../job.ts';
import { faultPlanOf, lanesOf } from '../job.ts';
import { serverCommand } from '../servers.ts';
import type { Lane } from '../work/lane.ts';
import { makeCalls } from './make-calls.ts';
import { openLedger, openTx } from './open-tx.ts';

/** Does a job, all its lanes at the same time. Started again, it does the same: the ledger knows what is done. */
export async function workWithTx(job: Job, tell: Tell): Promise<void> {
  await using ledger = openLedger(job.folder);
  const work = await Promise.all(
    lanesOf(job).map(async (lane) => {
      const command = serverCommand(lane.server, job.folder, faultPlanOf(job, lane));
      return { lane, tx: await openTx({ server: lane.server, command, ledger }) };
    }),
  );
  await Promise.all(
    work.map(async ({ lane, tx }) => {
      const { server } = lane;
      await makeCalls(tx, lane.tool, firstCalls(lane), {
        atOnce: job.atOnce,
        onDone: (done) => tell({ kind: 'done', server, done }),
        onError: ({ code, operationId }) => {
          if (code === 'IN_DOUBT' && operationId !== undefined) tell({ kind: 'in-doubt', server, operationId });
        },
      });
      await tx.close();
    }),
  );
}

function firstCalls({ operations }: Lane) {
  return operations.map((operation) => ({ operation, key: operation.key }));
}
