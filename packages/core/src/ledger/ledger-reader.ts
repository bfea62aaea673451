/** The read side of a ledger, for operators: lists, counts, audit, and the purge of what has expired. */
import type { AuditLine, OperationRecord, OperationState } from './record.ts';

/** A ledger that can be looked through. All of ours can. */
export interface LedgerReader {
  /** Newest first. */
  list(query: ListQuery): Promise<Page>;
  stats(query: Omit<ListQuery, 'limit' | 'cursor'>): Promise<Stats>;
  /**
   * Removes up to `limit` ended records whose retention passed before `before` (epoch ms), leaving tombstones for keyed ones
   * that are `completed` or `failed`, and tombstones past their own time. A released record has ended; its key is new after
   * that. `sent` and `in_doubt` records are never removed. Returns how many were.
   */
  purge(before: number, limit: number): Promise<number>;
  audit(operationId: string): Promise<readonly AuditLine[]>;
}

/** Which records to look at. */
export interface ListQuery {
  readonly states?: readonly OperationState[];
  readonly scope?: string;
  readonly serverName?: string;
  readonly tool?: string;
  readonly contradicted?: boolean;
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A page of records, and where the next one begins. */
export interface Page {
  readonly records: readonly OperationRecord[];
  readonly cursor?: string;
}

/** Counts by state. */
export interface Stats {
  readonly byState: Readonly<Record<OperationState, number>>;
  readonly contradicted: number;
  readonly total: number;
}

/** Whether a ledger has its read side. */
export function isLedgerReader(ledger: object): ledger is LedgerReader {
  return 'list' in ledger && 'stats' in ledger && 'purge' in ledger && 'audit' in ledger;
}
