/** Finds, for the memory ledger, an earlier operation that a keyless call may be repeating. Empty unless claims ask for it. */
import type { ClaimRequest } from './ledger.ts';
import type { MemoryRecord } from './memory-record.ts';

/** Open and in-doubt operations by who called what with which arguments. */
export class QuarantineIndex {
  readonly #records = new Map<string, Set<MemoryRecord>>();

  /** The operation that forbids this claim, if there is one. */
  find(request: ClaimRequest, now: number): MemoryRecord | undefined {
    const key = keyOf(request);
    if (key === undefined || request.quarantine === undefined) return undefined;
    for (const record of this.#records.get(key) ?? []) {
      const mayHaveRun = record.state === 'in_doubt' || (record.state === 'sent' && record.deadlineAt <= now);
      if (mayHaveRun && now - record.createdAt < request.quarantine.windowMs) return record;
    }
    return undefined;
  }

  add(record: MemoryRecord, request: ClaimRequest): void {
    const key = keyOf(request);
    if (key === undefined) return;
    record.quarantineKey = key;
    const others = this.#records.get(key);
    if (others === undefined) this.#records.set(key, new Set([record]));
    else others.add(record);
  }

  /** For an operation of which it is known whether it ran. */
  remove(record: MemoryRecord): void {
    if (record.quarantineKey === undefined) return;
    const records = this.#records.get(record.quarantineKey);
    records?.delete(record);
    if (records?.size === 0) this.#records.delete(record.quarantineKey);
    record.quarantineKey = undefined;
  }
}

function keyOf(request: ClaimRequest): string | undefined {
  const { quarantine, fingerprint, idempotencyKey, scope, serverName } = request;
  if (quarantine === undefined || fingerprint === undefined || idempotencyKey !== undefined) return undefined;
  return JSON.stringify([scope, serverName, quarantine.session, fingerprint]);
}
