/** Holds the memory ledger's records, and decides which of them may be forgotten and when. */

import type { Outcome } from '../outcome/outcome.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import { LinkedList } from '../runtime/linked-list.ts';
import type { ClaimRequest, Lease } from './ledger.ts';
import { ExpiryLists } from './memory-list.ts';
import { QuarantineIndex } from './memory-quarantine.ts';
import { MemoryRecord, NEVER, toOperationRecord } from './memory-record.ts';
import { Graveyard, Tombstone } from './memory-tombstone.ts';
import type { AuditLine, OperationRecord, Resolution } from './record.ts';

/** Ended records without a key that stay listable. Nobody can claim them again, so the number is a courtesy. */
const RECENT_KEYLESS = 200;
/** How often claims look for what has expired, ms, and how many entries one claim then lets go at most. */
const COLLECT_EVERY_MS = 1_000;
const COLLECT_AT_ONCE = 64;

/** Every record stands in the map, and in the one list that fits its state; `in_doubt` ones in none, for they never go by age. */
export class MemoryStore {
  readonly #maxRecords: number;
  readonly #epoch: number;
  readonly quarantine: QuarantineIndex = new QuarantineIndex();
  /** In order of creation. */
  readonly #entries = new Map<string, MemoryRecord | Tombstone>();
  readonly #open = new LinkedList<MemoryRecord>();
  readonly #recentKeyless = new LinkedList<MemoryRecord>();
  readonly #ended = new ExpiryLists<MemoryRecord>((record) => record.endedAt + record.retentionMs);
  readonly #graveyard = new Graveyard();
  readonly #audit = new Map<string, AuditLine[]>();
  #recordCount = 0;
  #sequence = 0;
  #collectAt = 0;

  /** `epoch`: when it is made, epoch ms. All other instants that it takes and holds are ms since then. */
  constructor(maxRecords: number, epoch: number) {
    this.#maxRecords = maxRecords;
    this.#epoch = epoch;
  }

  /** A record as callers get to see it. */
  view(record: MemoryRecord): OperationRecord {
    return toOperationRecord(record, this.#epoch);
  }

  /** What stands under this id at `now`. A record whose time is over counts as its tombstone; that too has its time. */
  lookUp(operationId: string, now: number): MemoryRecord | Tombstone | undefined {
    if (now >= this.#collectAt) this.#collect(now);
    const entry = this.#entries.get(operationId);
    if (entry === undefined) return undefined;
    if (entry instanceof MemoryRecord) {
      if (!entry.isExpired(now)) return entry;
      this.#bury(entry);
      return this.lookUp(operationId, now);
    }
    if (entry.row.expiresAt > now) return entry;
    this.#drop(operationId);
    return undefined;
  }

  /** What stands under this id, whether expired or not. */
  peek(operationId: string): MemoryRecord | Tombstone | undefined {
    return this.#entries.get(operationId);
  }

  /** The record that a lease was given for, unless it has been forgotten since. */
  recordOf(lease: Lease): MemoryRecord | undefined {
    const { handle } = lease;
    if (handle instanceof MemoryRecord && handle.operationId === lease.operationId && !handle.forgotten) return handle;
    return undefined;
  }

  /** A new open record. @throws McpTxError `LEDGER_FULL` */
  create(request: ClaimRequest, now: number): MemoryRecord {
    if (this.#recordCount >= this.#maxRecords) this.#makeRoom(now);
    this.#sequence += 1;
    const record = new MemoryRecord(request, this.#sequence, now);
    this.#entries.set(record.operationId, record);
    this.#recordCount += 1;
    this.#open.push(record);
    if (request.quarantine !== undefined) this.quarantine.add(record, request);
    return record;
  }

  /** A released record is driven again, by a new owner or by one that was only late. */
  reopen(record: MemoryRecord): void {
    if (record.endedAt === NEVER) return;
    record.endedAt = NEVER;
    this.#open.push(record);
  }

  release(record: MemoryRecord, now: number): void {
    record.leaseUntil = NEVER;
    record.endedAt = now;
    this.#retire(record);
  }

  end(record: MemoryRecord, outcome: Outcome, now: number): void {
    record.end(outcome, now);
    if (record.state === 'in_doubt') {
      this.#open.remove(record);
    } else {
      this.quarantine.remove(record);
      this.#retire(record);
    }
  }

  audit(record: MemoryRecord, resolution: Resolution, action: AuditLine['action'], now: number): void {
    const { outcome, by, reason } = resolution;
    const line: AuditLine = {
      operationId: record.operationId,
      at: this.#epoch + now,
      by,
      action,
      state: outcome.state,
      reason,
    };
    const lines = this.#audit.get(record.operationId);
    if (lines === undefined) this.#audit.set(record.operationId, [line]);
    else lines.push(line);
  }

  auditOf(operationId: string): readonly AuditLine[] {
    return [...(this.#audit.get(operationId) ?? [])];
  }

  /** Oldest first. */
  entries(): Iterable<MemoryRecord | Tombstone> {
    return this.#entries.values();
  }

  openRecords(): Iterable<MemoryRecord> {
    return this.#open;
  }

  /** Lets go of up to `limit` entries whose time was over at `before`; returns how many. */
  purge(before: number, limit: number): number {
    let removed = 0;
    for (; removed < limit; removed += 1) {
      const record = this.#ended.due(before);
      if (record === undefined) break;
      this.#bury(record);
    }
    for (const record of this.#recentKeyless) {
      if (removed >= limit) return removed;
      if (record.endedAt + record.retentionMs > before) continue;
      this.#bury(record);
      removed += 1;
    }
    while (removed < limit) {
      const due = this.#graveyard.takeDue(before);
      if (due === undefined) break;
      const entry = this.#entries.get(due.operationId);
      if (!(entry instanceof Tombstone) || entry.row !== due.row) continue; // gone before, and the key is new again
      this.#drop(due.operationId);
      removed += 1;
    }
    return removed;
  }

  #collect(now: number): void {
    const isBehind = this.purge(now, COLLECT_AT_ONCE) === COLLECT_AT_ONCE;
    this.#collectAt = isBehind ? now : now + COLLECT_EVERY_MS;
  }

  #makeRoom(now: number): void {
    const keyless = this.#recentKeyless.first;
    if (keyless !== undefined) this.#bury(keyless);
    else this.purge(now, COLLECT_AT_ONCE);
    if (this.#recordCount < this.#maxRecords) return;
    const why = `The memory ledger holds ${this.#maxRecords} records, its maxRecords, and forgets no key before its time`;
    const cure = 'raise maxRecords, shorten retentionMs, or use a ledger on disk (@mcp-tx/sql)';
    throw new McpTxError('LEDGER_FULL', `${why}: ${cure}.`);
  }

  /** Keyed records wait for the end of their retention, the others for later ones to push them out. */
  #retire(record: MemoryRecord): void {
    if (record.idempotencyKey !== undefined) {
      this.#ended.push(record, record.retentionMs);
      return;
    }
    this.#recentKeyless.push(record);
    const oldest = this.#recentKeyless.first;
    if (this.#recentKeyless.size > RECENT_KEYLESS && oldest !== undefined) this.#bury(oldest);
  }

  /** Removes a record. A key that was used up leaves a tombstone; a released one is as good as new. */
  #bury(record: MemoryRecord): void {
    record.list?.remove(record);
    this.quarantine.remove(record);
    record.forgotten = true;
    this.#recordCount -= 1;
    if (record.idempotencyKey === undefined || record.isOpen) {
      this.#drop(record.operationId);
      return;
    }
    this.#entries.set(record.operationId, this.#graveyard.bury(record));
  }

  #drop(operationId: string): void {
    this.#entries.delete(operationId);
    if (this.#audit.size > 0) this.#audit.delete(operationId);
  }
}
