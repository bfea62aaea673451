/** The ledger that lives in this process. It is the reference: read it as the specification that other ledgers implement. */
import type { Outcome } from '../outcome/outcome.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Claim, ClaimRequest, Lease, Ledger, Released, ResolveResult, Swept } from './ledger.ts';
import type { LedgerReader, ListQuery, Page, Stats } from './ledger-reader.ts';
import { claimIn } from './memory-claim.ts';
import { pageOf, statsOf } from './memory-reader.ts';
import { MemoryRecord, NEVER } from './memory-record.ts';
import { MemoryStore } from './memory-store.ts';
import type { AuditLine, OperationRecord, Resolution } from './record.ts';
import { mayFollow } from './record.ts';

/** Options of {@link memoryLedger}. */
export interface MemoryLedgerOptions {
  /** Records held at most; a claim beyond that is refused with `LEDGER_FULL`. Default 100,000. */
  readonly maxRecords?: number;
  /** The store's clock. */
  readonly clock?: Clock;
}

/**
 * A ledger in memory: durability `process`, not shared. It forgets everything when the process ends.
 *
 * Keyed records stay until their retention has passed. Of ended records without a key only the latest 200 stay, for lists.
 *
 * @throws McpTxError `CONFIG_INVALID` when `maxRecords` is not a whole number of at least 1.
 */
export function memoryLedger(options: MemoryLedgerOptions = {}): Ledger & LedgerReader & AsyncDisposable {
  const maxRecords = options.maxRecords ?? 100_000;
  if (!Number.isInteger(maxRecords) || maxRecords < 1) {
    const problem = `maxRecords must be a whole number of at least 1, not ${maxRecords}`;
    throw new McpTxError('CONFIG_INVALID', `memoryLedger: ${problem}`);
  }
  return new MemoryLedger(maxRecords, options.clock ?? systemClock);
}

/** Nothing here awaits: each method has done its work when it returns, and is therefore atomic. */
class MemoryLedger implements Ledger, LedgerReader, AsyncDisposable {
  readonly durability = 'process';
  readonly shared = false;
  readonly createdAt: number;
  readonly #clock: Clock;
  #openStore: MemoryStore | undefined;

  constructor(maxRecords: number, clock: Clock) {
    this.#clock = clock;
    this.createdAt = clock.now();
    this.#openStore = new MemoryStore(maxRecords, this.createdAt);
  }

  claim(request: ClaimRequest): Claim {
    return claimIn(this.#store, request, this.#now());
  }

  async markSent(lease: Lease, attempt: number): Promise<boolean> {
    const record = heldBy(this.#store, lease);
    if (record === undefined) return false;
    const now = this.#now();
    // The number that a former owner marked is not ours to mark again.
    const isRepeat = record.state === 'sent' && attempt === record.attempts && !record.tookOver;
    if (!isRepeat) {
      if (attempt <= record.attempts || attempt > record.attemptLimit) return false;
      record.send(attempt, now);
    }
    renew(this.#store, record, lease, now);
    return true;
  }

  async renewAll(leases: readonly Lease[]): Promise<readonly boolean[]> {
    const store = this.#store;
    const now = this.#now();
    return leases.map((lease) => {
      const record = heldBy(store, lease);
      if (record !== undefined) renew(store, record, lease, now);
      return record !== undefined;
    });
  }

  async release(lease: Lease, released: Released): Promise<boolean> {
    const record = heldBy(this.#store, lease);
    if (record === undefined) return isGivenBack(this.#store, lease);
    const now = this.#now();
    record.state = 'claimed';
    record.attempts = released.attempts;
    record.tookOver = false;
    if (released.hold) {
      renew(this.#store, record, lease, now);
    } else {
      record.ownerToken = '';
      this.#store.release(record, now);
    }
    return true;
  }

  settle(lease: Lease, outcome: Outcome): boolean {
    const record = this.#store.recordOf(lease);
    if (record === undefined || record.fence !== lease.fence) return false;
    if (!record.isOpen) return record.hasOutcome(outcome);
    if (record.ownerToken !== lease.ownerToken || !mayFollow(record.state, outcome.state)) return false;
    this.#store.end(record, outcome, this.#now());
    return true;
  }

  async resolve(operationId: string, resolution: Resolution): Promise<ResolveResult> {
    const now = this.#now();
    const record = this.#store.lookUp(operationId, now);
    if (!(record instanceof MemoryRecord)) return { kind: 'not_found' };
    const isLateAnswer = resolution.by === 'late-answer';
    if (record.state === 'in_doubt' || (record.state === 'sent' && isLateAnswer)) {
      this.#store.end(record, resolution.outcome, now);
      record.resolvedBy = resolution.by;
      this.#store.audit(record, resolution, 'resolved', now);
      return { kind: 'resolved', record: this.#store.view(record) };
    }
    if (record.isOpen) return { kind: 'not_in_doubt', record: this.#store.view(record) };
    if (record.hasSameEnd(resolution.outcome)) return { kind: 'already', record: this.#store.view(record) };
    if (!isLateAnswer) return { kind: 'not_in_doubt', record: this.#store.view(record) };
    if (!record.contradicted) this.#store.audit(record, resolution, 'contradicted', now);
    record.contradicted = true;
    return { kind: 'contradicted', record: this.#store.view(record) };
  }

  async find(operationId: string): Promise<OperationRecord | undefined> {
    const found = this.#store.peek(operationId);
    return found instanceof MemoryRecord ? this.#store.view(found) : undefined;
  }

  async sweep(limit: number, serverName?: string): Promise<readonly Swept[]> {
    const now = this.#now();
    const swept: Swept[] = [];
    const runnable: MemoryRecord[] = [];
    for (const record of this.#store.openRecords()) {
      if (swept.length >= limit) break;
      if (record.leaseUntil === NEVER || record.leaseUntil > now) continue;
      if (isRunnable(record)) {
        if (serverName === undefined || record.serverName === serverName) runnable.push(record);
      } else swept.push(this.#sweepOne(record, now));
    }
    // Last, for they come back with each sweep until somebody runs them, and must not keep it from the others.
    for (const record of runnable.slice(0, limit - swept.length)) {
      swept.push({ action: 'runnable', record: this.#store.view(record) });
    }
    return swept;
  }

  #sweepOne(record: MemoryRecord, now: number): Swept {
    if (record.state === 'sent' && record.mode === 'at-most-once') {
      this.#store.end(record, { state: 'in_doubt', reason: 'owner-lost' }, now);
      return { action: 'in_doubt', record: this.#store.view(record) };
    }
    if (record.state === 'sent') record.leaseUntil = NEVER;
    else this.#store.release(record, now);
    return { action: 'released', record: this.#store.view(record) };
  }

  async list(query: ListQuery): Promise<Page> {
    const store = this.#store;
    return pageOf(store.entries(), query, (record) => store.view(record));
  }

  async stats(query: Omit<ListQuery, 'limit' | 'cursor'>): Promise<Stats> {
    return statsOf(this.#store.entries(), query);
  }

  async purge(before: number, limit: number): Promise<number> {
    return this.#store.purge(before - this.createdAt, limit);
  }

  async audit(operationId: string): Promise<readonly AuditLine[]> {
    return this.#store.auditOf(operationId);
  }

  async close(): Promise<void> {
    this.#openStore = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whole ms since the ledger was made. */
  #now(): number {
    return Math.floor(this.#clock.now() - this.createdAt);
  }

  get #store(): MemoryStore {
    if (this.#openStore !== undefined) return this.#openStore;
    throw new McpTxError('LEDGER_CLOSED', 'The memory ledger was closed. Close it after everything that uses it.');
  }
}

/** The open record on which this lease still holds. Time does not matter: nobody else has come. */
function heldBy(store: MemoryStore, lease: Lease): MemoryRecord | undefined {
  const record = store.recordOf(lease);
  if (record === undefined || !record.isOpen) return undefined;
  return record.fence === lease.fence && record.ownerToken === lease.ownerToken ? record : undefined;
}

/** Whether whoever finds it abandoned can simply run it. */
function isRunnable(record: MemoryRecord): boolean {
  return record.arguments !== undefined && (record.state === 'claimed' || record.mode !== 'at-most-once');
}

/** Whether the lease's owner has given it back already, and nobody took it since. */
function isGivenBack(store: MemoryStore, lease: Lease): boolean {
  const record = store.recordOf(lease);
  return record !== undefined && record.fence === lease.fence && record.isReleased;
}

function renew(store: MemoryStore, record: MemoryRecord, lease: Lease, now: number): void {
  store.reopen(record);
  record.leaseUntil = now + lease.leaseMs;
}
