/** What the HTTP API answers, as types: for its clients, and so that every host answers the same. */
import type { OperationState } from '../ledger/record.ts';
import type { CallMeta } from '../outcome/call-result.ts';
import type { Durability } from '../outcome/durability.ts';
import type { Execution } from '../outcome/tx-error.ts';
import type { ProblemDetails } from './problem.ts';

/** Body of `POST execute/:tool`. */
export interface ExecuteRequest {
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** Answer to `POST execute/:tool`: a tool's result as MCP has it, `isError` included, and what is known about the call. */
export interface ExecuteResponse {
  readonly result: Readonly<Record<string, unknown>>;
  readonly meta: CallMeta;
}

/** Answer 202 to `POST execute/:tool` with `Prefer: respond-async`: the call stands in the ledger with its arguments. */
export interface AcceptedView {
  readonly operationId: string;
  readonly state: OperationState;
  /** What that record survives. */
  readonly durability: Durability | 'none';
}

/** An operation, as `GET operations/:id` shows it to the principal it belongs to. Instants are epoch ms. */
export interface OperationView {
  readonly operationId: string;
  readonly tool: string;
  /** `claimed` with `endedAt`: given back, nothing ran, and the key can be used again. */
  readonly state: OperationState;
  readonly execution: Execution;
  readonly idempotencyKey?: string;
  readonly attempts: number;
  readonly createdAt: number;
  readonly sentAt?: number;
  readonly endedAt?: number;
  /** The tool's result, once it is `completed`. */
  readonly result?: Readonly<Record<string, unknown>>;
  /** Why there is none: the same problem that a caller of it gets. */
  readonly problem?: ProblemDetails;
  /** Who ended doubt about it, if somebody did. */
  readonly resolvedBy?: string;
}

/** Answer to `GET operations`. */
export interface OperationList {
  readonly operations: readonly OperationView[];
  /** Give this as `cursor` to get what follows. Absent on the last page. */
  readonly cursor?: string;
}

/** Answer to `GET livez` and `GET readyz`. */
export interface HealthView {
  readonly status: 'ok' | 'degraded' | 'down' | 'draining';
}
