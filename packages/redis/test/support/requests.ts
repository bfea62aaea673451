/** Claims for tests beyond the contract. */
import { createHash } from 'node:crypto';
import type { ClaimRequest, Lease, Ledger } from '@mcp-tx/core/ledger';
import { base32 } from '@mcp-tx/core/ledger';

let owners = 0;

/** A valid claim of the operation `name`; each has an owner of its own. */
export function requestOf(name: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  const digest = createHash('sha256').update(name).digest();
  owners += 1;
  return {
    operationId: `op_${base32(digest)}`,
    digest: digest.toString('hex'),
    scope: 'default',
    serverName: 'payments',
    tool: 'charge',
    idempotencyKey: name,
    fingerprint: `fingerprint of ${name}`,
    requestId: `request ${owners}`,
    ownerToken: `owner ${process.pid} ${owners}`,
    state: 'sent',
    leaseMs: 60_000,
    mode: 'at-most-once',
    maxAttempts: 3,
    deadlineInMs: 30_000,
    settleWindowMs: 90_000,
    retentionMs: 3_600_000,
    ...more,
  };
}

/** Claims `count` operations and gives the last lease. */
export async function claimSome(ledger: Ledger, name: string, count: number): Promise<Lease> {
  let last: Lease | undefined;
  for (let n = 0; n < count; n += 1) {
    const claim = await ledger.claim(requestOf(`${name} ${n}`));
    if (claim.kind !== 'claimed') throw new Error(`${name} ${n} was ${claim.kind}`);
    last = claim.lease;
  }
  if (last === undefined) throw new Error('nothing was claimed');
  return last;
}
