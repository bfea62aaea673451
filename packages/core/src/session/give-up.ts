/** Ends a stored call whose deadline has passed while nobody drove it. */
import type { Ledger } from '../ledger/ledger.ts';
import type { OperationRecord } from '../ledger/record.ts';

/** How to give up. */
export interface GivingUp {
  /** Fresh, so that the claim is nobody else's. */
  readonly token: string;
  /** How long the record is kept, ms. */
  readonly retentionMs: number;
  /** Nothing to be in doubt about. */
  readonly isReadOnly: boolean;
}

/** Never sent, or a read: released. Sent by an owner that is gone: in doubt. Does nothing when somebody else takes it meanwhile. */
export async function giveUp(
  ledger: Ledger,
  record: OperationRecord,
  { token, retentionMs, isReadOnly }: GivingUp,
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
    deadlineInMs: 0,
    settleWindowMs: record.settleWindowMs,
    retentionMs,
    ...(record.idempotencyKey === undefined ? {} : { idempotencyKey: record.idempotencyKey }),
    ...(record.fingerprint === undefined ? {} : { fingerprint: record.fingerprint }),
  });
  if (claim.kind !== 'claimed') return undefined;
  if (claim.takenOver?.state === 'sent' && !isReadOnly) {
    const settled = await ledger.settle(claim.lease, { state: 'in_doubt', reason: 'owner-lost' });
    return settled ? 'in_doubt' : undefined;
  }
  const released = await ledger.release(claim.lease, { attempts: claim.attempts, hold: false });
  return released ? 'released' : undefined;
}
