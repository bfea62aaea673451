/** Ends a stored call whose deadline has passed while nobody drove it. */
import type { Ledger } from '../ledger/ledger.ts';
import type { OperationRecord } from '../ledger/record.ts';

/** Never sent: released. Sent by an owner that is gone: in doubt. Does nothing when somebody else takes it meanwhile. */
export async function giveUp(
  ledger: Ledger,
  record: OperationRecord,
  token: string,
): Promise<'in_doubt' | 'released' | undefined> {
  const claim = await ledger.claim({
    operationId: record.operationId,
    digest: record.digest,
    scope: record.scope,
    serverName: record.serverName,
    tool: record.tool,
    requestId: record.requestId,
    ownerToken: token,
    state: 'claimed',
    leaseMs: 1_000,
    mode: record.mode,
    maxAttempts: 1,
    deadlineAt: record.deadlineAt,
    settleWindowMs: record.settleWindowMs,
    retentionMs: RETENTION_MS,
    ...(record.idempotencyKey === undefined ? {} : { idempotencyKey: record.idempotencyKey }),
    ...(record.fingerprint === undefined ? {} : { fingerprint: record.fingerprint }),
  });
  if (claim.kind !== 'claimed') return undefined;
  if (claim.takenOver?.state === 'sent') {
    const settled = await ledger.settle(claim.lease, { state: 'in_doubt', reason: 'owner-lost' });
    return settled ? 'in_doubt' : undefined;
  }
  const released = await ledger.release(claim.lease, { attempts: claim.attempts, hold: false });
  return released ? 'released' : undefined;
}

/** What a call that nobody asked for any more is kept for, ms: a day, as ended calls are by default. */
const RETENTION_MS = 24 * 60 * 60 * 1_000;
