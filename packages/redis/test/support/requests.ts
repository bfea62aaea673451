/** Claims for tests beyond the contract. */
import type { ClaimRequest, Lease, Ledger } from '@mcp-tx/core/ledger';
import { claimRequestOf } from '@mcp-tx/testing/ledger-contract';

/** A claim whose first send follows at once. */
export function requestOf(name: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return claimRequestOf(name, { state: 'sent', ...more });
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
