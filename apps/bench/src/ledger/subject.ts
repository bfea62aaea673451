// What is measured here: a way of making calls durable. Each subject does the same: a claim, a tool that does nothing, an end.
import { hash } from 'node:crypto';
import type { ClaimRequest, Ledger, Outcome } from '@mcp-tx/core/ledger';
import { claimRequestOf } from '@mcp-tx/testing/ledger-contract';

/** One way of making calls durable. */
export interface Subject extends AsyncDisposable {
  /** Makes calls, one after the other, until `isOver`; tells of each that is done. */
  drive(isOver: () => boolean, onDone: () => void): Promise<void>;
  /** Makes one call; absent where a call cannot stand alone. */
  once?(): Promise<unknown>;
}

/** What every subject stores as its result. */
export const RESULT = JSON.stringify({ content: [{ type: 'text', text: 'charged 100 EUR to the card of order 42' }] });
const DONE: Outcome = { state: 'completed', result: RESULT };

/** The tool. */
export async function tool(): Promise<string> {
  return RESULT;
}

/** A subject that does one call at a time for each of its callers. `call` gets another number each time. */
export function oneByOne(call: (n: number) => Promise<unknown>, close: () => Promise<unknown>): Subject {
  let n = 0;
  const once = (): Promise<unknown> => {
    n += 1;
    return call(n);
  };
  return {
    once,
    async drive(isOver, onDone) {
      while (!isOver()) {
        await once();
        onDone();
      }
    },
    async [Symbol.asyncDispose]() {
      await close();
    },
  };
}

/** Claim and settle of a ledger, around the tool. */
export function callsOf(ledger: Ledger, close: () => Promise<unknown>): Subject {
  return oneByOne((n) => callThrough(ledger, `order:${n}`), close);
}

/** One call with this key. */
export async function callThrough(ledger: Ledger, key: string): Promise<void> {
  const claim = await ledger.claim(requestOf(key));
  if (claim.kind !== 'claimed') throw new Error(`${key}: ${claim.kind}`);
  await tool();
  if (!(await ledger.settle(claim.lease, DONE))) throw new Error(`${key}: the lease was lost`);
}

/** The same key once more. */
export async function replayThrough(ledger: Ledger, key: string): Promise<void> {
  const claim = await ledger.claim(requestOf(key));
  if (claim.kind !== 'replay') throw new Error(`${key}: ${claim.kind}`);
}

let requests = 0;

/** As long as the engine's; made for nothing, for the engine's cost is not measured here. */
export function freshRequestId(): string {
  requests += 1;
  return `req_${requests.toString(36).padStart(26, '0')}`;
}

/** 16 bytes for a key, as a ledger makes them. */
export function keyBytes(key: string): Buffer {
  return hash('sha256', key, 'buffer').subarray(0, 16);
}

/** With an owner and a fingerprint as long as real ones. */
function requestOf(key: string): ClaimRequest {
  const requestId = freshRequestId();
  const [ownerToken, fingerprint] = [requestId.slice(-16), hash('sha256', key, 'base64url')];
  return claimRequestOf(key, { ownerToken, requestId, fingerprint, state: 'sent', leaseMs: 15_000 });
}
