/** Makes the claims, outcomes and small measurements that the contract's cases are written in. */
import { fail } from 'node:assert/strict';
import type { Claim, ClaimRequest, Lease, Outcome } from '@mcp-tx/core/ledger';
import { identify } from '@mcp-tx/core/ledger';
import type { LedgerFixture, RawRecord, ReadableLedger } from './fixture.ts';

/** A claim that got the lease. */
export type Claimed = Extract<Claim, { readonly kind: 'claimed' }>;

/** Lease of cases that let it run out, ms. A fixture without a clock of its own really waits so long. */
export const SHORT_MS = 400;

/**
 * A valid claim of the operation `name`, for tests and measurements of a ledger. Equal names are equal operations; each request
 * has an owner of its own, also among processes.
 */
export function claimRequestOf(name: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    ...identify('default', 'payments', name),
    scope: 'default',
    serverName: 'payments',
    tool: 'charge',
    idempotencyKey: name,
    fingerprint: `fingerprint of ${name}`,
    requestId: `request ${ordinal()}`,
    ownerToken: `owner ${process.pid} ${ordinal()}`,
    state: 'claimed',
    leaseMs: 60_000,
    mode: 'at-most-once',
    maxAttempts: 3,
    deadlineInMs: 30_000,
    settleWindowMs: 90_000,
    retentionMs: 3_600_000,
    ...more,
  };
}

/** The same for a call that has no key. */
export function keylessOf(name: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  const { idempotencyKey: _, ...request } = claimRequestOf(name, more);
  return request;
}

/** A result whose text would not survive being parsed and written again. */
export const DONE: Outcome = { state: 'completed', result: '{"content":[],"b":1.0,"a":"\\u00e9"}' };
export const OTHER: Outcome = { state: 'completed', result: '{"content":[],"other":true}' };
export const REFUSED: Outcome = { state: 'failed', error: { code: 'REJECTED', message: 'unknown tool' } };
export const DOUBT: Outcome = { state: 'in_doubt', reason: 'timeout' };

/** A fixture with its ledger open, and the steps that most cases take. */
export interface Bench {
  readonly ledger: ReadableLedger;
  /** Claims, and insists on the lease. */
  take(request: ClaimRequest): Promise<Claimed>;
  /** Claims straight to `sent`. */
  send(request: ClaimRequest): Promise<Claimed>;
  /** Claims, sends and settles. */
  end(request: ClaimRequest, outcome: Outcome): Promise<Lease>;
  /** Makes somebody else take over, by letting the short lease of `request` run out. Gives both leases. */
  usurp(request: ClaimRequest): Promise<{ readonly stale: Lease; readonly fresh: Claimed }>;
  raw(request: ClaimRequest): Promise<RawRecord>;
  /** What the store's clock says. */
  now(): Promise<number>;
  advance(ms: number): Promise<void>;
}

export async function benchOf(fixture: LedgerFixture): Promise<Bench> {
  const ledger = await fixture.open();
  const take = async (request: ClaimRequest): Promise<Claimed> => claimedIn(await ledger.claim(request));
  const send = (request: ClaimRequest): Promise<Claimed> => take({ ...request, state: 'sent' });
  const advance = (ms: number): Promise<void> => fixture.advance?.(ms) ?? fail('this case needs a clock');
  return {
    ledger,
    take,
    send,
    advance,
    async end(request, outcome) {
      const { lease } = await send(request);
      if (!(await ledger.settle(lease, outcome))) fail(`could not settle ${outcome.state}`);
      return lease;
    },
    async usurp(request) {
      const { lease } = await take({ ...request, leaseMs: SHORT_MS });
      await advance(SHORT_MS + 1);
      return { stale: lease, fresh: await take({ ...request, ownerToken: `usurper ${ordinal()}` }) };
    },
    raw: async ({ operationId }) =>
      (await fixture.rawRecord(operationId)) ?? fail(`the store has no record of ${operationId}`),
    async now() {
      const probe = claimRequestOf(`what time is it ${ordinal()}`);
      const { lease } = await take(probe);
      const record = await ledger.find(probe.operationId);
      await ledger.release(lease, { attempts: 0, hold: false });
      return record?.createdAt ?? fail('a claimed operation was not found');
    },
  };
}

export function claimedIn(claim: Claim): Claimed {
  return claim.kind === 'claimed' ? claim : fail(`expected a lease, but the claim answered ${claim.kind}`);
}

let last = 0;
function ordinal(): number {
  last += 1;
  return last;
}
