/** Decides, for the memory ledger, who may drive an operation. The order of the questions is the contract's. */
import type { Claim, ClaimRequest, Lease } from './ledger.ts';
import type { MemoryRecord } from './memory-record.ts';
import type { MemoryStore } from './memory-store.ts';
import { Tombstone } from './memory-tombstone.ts';
import type { OperationRecord } from './record.ts';

/** @throws McpTxError `LEDGER_FULL` */
export function claimIn(store: MemoryStore, request: ClaimRequest, now: number): Claim {
  const found = store.lookUp(request.operationId, now);
  if (found === undefined) return claimNew(store, request, now);
  if (found.digest !== request.digest) return { kind: 'conflict' };
  if (found instanceof Tombstone) return { kind: 'expired' };
  if (isOtherCall(found, request)) return { kind: 'conflict' };
  if (found.state === 'in_doubt') return { kind: 'in_doubt', record: store.view(found) };
  if (!found.isOpen) return { kind: 'replay', record: store.view(found) };
  if (found.ownerToken === request.ownerToken) return claimAgain(store, found, request, now);
  if (found.leaseUntil > now) {
    return { kind: 'busy', leaseLeftMs: found.leaseUntil - now, record: store.view(found) };
  }
  return found.isReleased ? claimReleased(store, found, request, now) : takeOver(store, found, request, now);
}

function claimNew(store: MemoryStore, request: ClaimRequest, now: number): Claim {
  const earlier = store.quarantine.find(request, now);
  if (earlier !== undefined) return { kind: 'repeat', operationId: earlier.operationId };
  const record = store.create(request, now);
  if (request.state === 'sent') record.send(1, now);
  return grant(record, request, now);
}

/** The same owner asks again because its first answer was lost: it gets the same one. */
function claimAgain(store: MemoryStore, record: MemoryRecord, request: ClaimRequest, now: number): Claim {
  store.reopen(record);
  if (record.tookOver) return grant(record, request, now, store.view(record));
  if (request.state === 'sent' && record.state === 'claimed' && record.attempts < record.attemptLimit) {
    record.send(record.attempts + 1, now);
  }
  return grant(record, request, now);
}

function claimReleased(store: MemoryStore, record: MemoryRecord, request: ClaimRequest, now: number): Claim {
  store.reopen(record);
  record.changeOwner(request, now);
  record.tookOver = false;
  record.attemptLimit = record.attempts + request.maxAttempts;
  record.mode = request.mode;
  record.settleWindowMs = request.settleWindowMs;
  if (request.state === 'sent') record.send(record.attempts + 1, now);
  return grant(record, request, now);
}

/** The former owner is gone. What it may have sent stands: its state, its attempts and their limit, the stricter mode. */
function takeOver(store: MemoryStore, record: MemoryRecord, request: ClaimRequest, now: number): Claim {
  const left = store.view(record);
  record.changeOwner(request, now);
  record.tookOver = true;
  if (record.state === 'claimed' || request.mode === 'at-most-once') record.mode = request.mode;
  record.settleWindowMs = Math.max(record.settleWindowMs, request.settleWindowMs);
  return grant(record, request, now, left);
}

function grant(record: MemoryRecord, request: ClaimRequest, now: number, takenOver?: OperationRecord): Claim {
  record.leaseUntil = now + request.leaseMs;
  const { operationId, fence, attempts, attemptLimit } = record;
  const lease: Lease = { operationId, fence, ownerToken: request.ownerToken, leaseMs: request.leaseMs, handle: record };
  if (takenOver === undefined) return { kind: 'claimed', lease, attempts, attemptLimit };
  return { kind: 'claimed', lease, attempts, attemptLimit, takenOver };
}

/** Fingerprints are compared only where both sides have one: they can be off for a tool. */
function isOtherCall(record: MemoryRecord, request: ClaimRequest): boolean {
  if (record.tool !== request.tool) return true;
  return (
    record.fingerprint !== undefined && request.fingerprint !== undefined && record.fingerprint !== request.fingerprint
  );
}
