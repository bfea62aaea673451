/** Finds, for the memory ledger, an earlier operation that a keyless call may be repeating. Empty unless claims ask for it. */
import type { ClaimRequest } from './ledger.ts';
import type { MemoryRecord } from './memory-record.ts';

/** Open and in-doubt operations by who called what with which arguments. */
export class QuarantineIndex {
  readonly #records = new Map<string, Set<MemoryRecord>>();

  /** The operation that forbids this claim, if there is one. */
  find(request: ClaimRequest, now: number): MemoryRecord | undefined {
    const { quarantine, idempotencyKey } = request;
    const key = keyOf(request);
    if (key === undefined || quarantine === undefined || idempotencyKey !== undefined) return undefined;
    const earlier = [...(this.#records.get(key) ?? [])].filter(
      (record) => mayHaveRun(record, now) && now - record.sentAt < quarantine.windowMs,
    );
    return earlier.some((record) => record.operationId === quarantine.repeatOf) ? undefined : earlier[0];
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

function mayHaveRun({ state, deadlineAt }: MemoryRecord, now: number): boolean {
  return state === 'in_doubt' || (state === 'sent' && deadlineAt <= now);
}

function keyOf(request: ClaimRequest): string | undefined {
  const { quarantine, fingerprint, scope, serverName } = request;
  if (quarantine === undefined || fingerprint === undefined) return undefined;
  return JSON.stringify([scope, serverName, quarantine.session, fingerprint]);
}
