/** Child process of the contract's shared cases: opens the store in its own way and does what its parent tells it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Claim, ClaimRequest, Lease, Outcome } from '@mcp-tx/core/ledger';
import type { ReadableLedger } from './fixture.ts';
import type { WorkerAnswer, WorkerOrder } from './worker-process.ts';

const [moduleUrl = '', argument = ''] = process.argv.slice(2);
const { openLedger } = (await import(moduleUrl)) as { openLedger(argument: string): Promise<ReadableLedger> };
const ledger = await openLedger(argument);
/** Leases stay here: they mean something only to the ledger that gave them. */
const leases = new Map<string, Lease>();

process.on('message', (order: WorkerOrder) => {
  obey(order).then(
    (value) => answer({ order: order.order, value }),
    (error: unknown) => answer({ order: order.order, error: String(error instanceof Error ? error.stack : error) }),
  );
});
process.on('disconnect', () => process.exit()); // the parent is gone
answer({ order: 0, value: 'ready' });

async function obey(order: WorkerOrder): Promise<unknown> {
  switch (order.do) {
    case 'claim':
      return claim(order.request);
    case 'race':
      await wait(Math.max(0, order.startAt - Date.now()));
      return Promise.all(order.requests.map(claim));
    case 'markSent':
      return ledger.markSent(leaseOf(order.operationId), order.attempt);
    case 'settle':
      return ledger.settle(leaseOf(order.operationId), order.outcome as Outcome);
    case 'sweep':
      return ledger.sweep(order.limit);
    case 'close':
      return ledger.close();
  }
}

async function claim(request: ClaimRequest): Promise<Claim> {
  const claim = await ledger.claim(request);
  if (claim.kind !== 'claimed') return claim;
  leases.set(request.operationId, claim.lease);
  const { handle: _, ...lease } = claim.lease;
  return { ...claim, lease };
}

function leaseOf(operationId: string): Lease {
  const lease = leases.get(operationId);
  if (lease === undefined) throw new Error(`this process never got the lease of ${operationId}`);
  return lease;
}

function answer(message: WorkerAnswer): void {
  process.send?.(message);
}
