/** The tables of a ledger file, as Kysely types. Instants are epoch ms, durations ms; a text with NUL in it stands there as bytes. */
import type { DeliveryMode, OperationState } from '@mcp-tx/core/ledger';
import type { Generated } from 'kysely';

/** One row for each operation; what is left of an expired one is its tombstone. */
export interface OperationsTable {
  /** In order of creation. Leases carry it, so that every write after the claim finds its row without the key. */
  readonly id: Generated<number>;
  /** The 16 bytes that the operation id spells. Bytes, because no collation can merge them. */
  readonly operation_key: Uint8Array;
  /** The digest's other 16 bytes; its whole text where the key is not cut from it. */
  readonly digest: Uint8Array | string;
  readonly scope: string;
  readonly server_name: string;
  readonly tool: string;
  readonly idempotency_key: string | null;
  readonly fingerprint: string | null;
  readonly request_id: string;
  /** Null once the lease was given back or the operation has ended. */
  readonly owner_token: string | null;
  readonly state: OperationState;
  readonly mode: DeliveryMode;
  readonly attempts: number;
  readonly attempt_limit: number;
  readonly fence: number;
  /** 1: the present owner took over what another one left, and has not sent since. */
  readonly took_over: number;
  /** 0 when the lease is free. Of an intent that nobody drives: the instant from which a sweep hands it over. */
  readonly lease_until: number;
  readonly deadline_at: number;
  readonly settle_window_ms: number;
  readonly retention_ms: number;
  readonly arguments: string | null;
  /** An intent: until then a release does not end it. */
  readonly send_until: number | null;
  readonly quarantine_session: string | null;
  readonly created_at: number;
  readonly sent_at: number | null;
  readonly ended_at: number | null;
  /** When the row may go, or turn into a tombstone. Null for what never goes by age. */
  readonly expires_at: number | null;
  /** JSON of every outcome that is not a usable result. */
  readonly outcome: string | null;
  readonly resolved_by: string | null;
  readonly contradicted: number;
  /** 1: only key, digest, fingerprint and state are left. */
  readonly tombstone: number;
}

/** In a file results stand apart, so that they are appended and the rows of operations stay short. */
export interface ResultsTable {
  /** `id` of the operation. */
  readonly operation: number;
  /** The result as JSON text. */
  readonly result: string;
}

/** Who ended which doubt. */
export interface AuditTable {
  readonly id: Generated<number>;
  readonly operation_key: Uint8Array;
  readonly at: number;
  readonly by: string;
  readonly action: string;
  readonly state: string;
  readonly reason: string;
}

/** Which migrations the file has seen. */
export interface MigrationsTable {
  readonly id: number;
  readonly name: string;
  readonly applied_at: number;
}

/** A view for people: one line for each call that is not a tombstone. */
export interface CallsView {
  readonly request_id: string;
  readonly scope: string;
  readonly server_name: string;
  readonly tool: string;
  readonly arguments: string | null;
  readonly idempotency_key: string | null;
  readonly attempts: number;
  readonly state: OperationState;
  readonly result: string | null;
  readonly created_at: number;
  readonly ended_at: number | null;
}

/** Every table and view of a ledger file. */
export interface LedgerTables {
  readonly mcp_tx_operations: OperationsTable;
  readonly mcp_tx_results: ResultsTable;
  readonly mcp_tx_audit: AuditTable;
  readonly mcp_tx_migrations: MigrationsTable;
  readonly mcp_tx_calls: CallsView;
}
