// What tests of the file itself claim and store.
import type { ClaimRequest, Outcome } from '@mcp-tx/core/ledger';
import { claimRequestOf } from '@mcp-tx/testing/ledger-contract';

/** A claim whose first send follows at once. */
export function requestOf(name: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return claimRequestOf(name, { state: 'sent', ...more });
}

/** A result that only this operation has. */
export function resultOf(name: string): Outcome & { readonly result: string } {
  return { state: 'completed', result: JSON.stringify({ content: [{ type: 'text', text: `done: ${name} é\u0000` }] }) };
}
