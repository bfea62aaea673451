// Claims for tests of the file itself, where the contract's own helpers are out of reach.
import { createHash } from 'node:crypto';
import type { ClaimRequest, Outcome } from '@mcp-tx/core/ledger';
import { base32 } from '@mcp-tx/core/ledger';

export function requestOf(name: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  const digest = createHash('sha256').update(name).digest();
  return {
    operationId: `op_${base32(digest)}`,
    digest: digest.toString('hex'),
    scope: 'default',
    serverName: 'payments',
    tool: 'charge',
    idempotencyKey: name,
    fingerprint: `fingerprint of ${name}`,
    requestId: `request of ${name}`,
    ownerToken: `owner of ${name} in ${process.pid}`,
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

/** A result that only this operation has. */
export function resultOf(name: string): Outcome & { readonly result: string } {
  return { state: 'completed', result: JSON.stringify({ content: [{ type: 'text', text: `done: ${name} é\u0000` }] }) };
}
