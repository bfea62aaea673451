/** The one error that callers see, and the table that says what each of its codes lets them do next. */
import type { CallMeta } from './call-result.ts';

/** What is known of the tool's effect: it did not happen, nobody can know, it happened. */
export type Execution = 'none' | 'unknown' | 'done';

/** What a code means, and its answer where a call does not give a better one. */
export interface CodeEntry {
  readonly execution: Execution;
  /** Whether repeating the very same call (same key) is safe and may help. */
  readonly retryable: boolean;
  readonly says: string;
}

/** The codes. The names are public API; {@link TX_ERRORS} says what each means. */
export type TxErrorCode =
  | 'CONFIG_INVALID'
  | 'CALL_INVALID'
  | 'KEY_INVALID'
  | 'KEY_CONFLICT'
  | 'KEY_EXPIRED'
  | 'ARGUMENTS_INVALID'
  | 'TOOL_NOT_FOUND'
  | 'TOOL_NOT_ALLOWED'
  | 'REJECTED'
  | 'NOT_EXECUTED'
  | 'UNAUTHORIZED'
  | 'SERVER_BUSY'
  | 'CONNECTION_FAILED'
  | 'BREAKER_OPEN'
  | 'OVERLOADED'
  | 'DEADLINE_EXCEEDED'
  | 'ABORTED'
  | 'CLOSED'
  | 'IN_PROGRESS'
  | 'IN_DOUBT'
  | 'REPEAT_QUARANTINED'
  | 'RESULT_UNUSABLE'
  | 'LEDGER_UNAVAILABLE'
  | 'LEDGER_FULL'
  | 'LEDGER_CORRUPT'
  | 'LEDGER_VERSION'
  | 'LEDGER_CLOSED'
  | 'QUEUE_UNAVAILABLE'
  | 'OPERATION_NOT_FOUND'
  | 'INTERNAL';

/** Every code of {@link McpTxError}. */
export const TX_ERRORS: Readonly<Record<TxErrorCode, CodeEntry>> = {
  CONFIG_INVALID: { execution: 'none', retryable: false, says: 'An option is wrong; the message names it.' },
  CALL_INVALID: {
    execution: 'none',
    retryable: false,
    says: 'The tool name or a call option is wrong; the message names it.',
  },
  KEY_INVALID: {
    execution: 'none',
    retryable: false,
    says: 'The idempotency key is empty, too long or holds control characters.',
  },
  KEY_CONFLICT: {
    execution: 'none',
    retryable: false,
    says: 'The key was used for another tool or other arguments on this server. Nothing was sent.',
  },
  KEY_EXPIRED: {
    execution: 'unknown',
    retryable: false,
    says: 'The key belongs to an operation whose record has expired, and how it ended with it. Use a new key for a new intent.',
  },
  ARGUMENTS_INVALID: {
    execution: 'none',
    retryable: false,
    says: 'The arguments are not JSON, too large, or refused by the tool’s own inputSchema.',
  },
  TOOL_NOT_FOUND: { execution: 'none', retryable: false, says: 'The server has no tool of that name.' },
  TOOL_NOT_ALLOWED: {
    execution: 'none',
    retryable: false,
    says: 'The tool may not be called this way: contradictory or changed definition, or not on the allow-list.',
  },
  REJECTED: {
    execution: 'none',
    retryable: false,
    says: 'The server refused this very call before running the tool. The refusal is stored like a result.',
  },
  NOT_EXECUTED: {
    execution: 'none',
    retryable: false,
    says: 'It was in doubt; a probe or an operator found that it did not happen. Use a new key to do it.',
  },
  UNAUTHORIZED: {
    execution: 'none',
    retryable: true,
    says: 'The server answered 401 or 403, also after one more try.',
  },
  SERVER_BUSY: {
    execution: 'none',
    retryable: true,
    says: 'The server shed the call (429, or 503 if so configured); see retryAt.',
  },
  CONNECTION_FAILED: {
    execution: 'none',
    retryable: true,
    says: 'The server could not be reached or started; nothing was sent.',
  },
  BREAKER_OPEN: {
    execution: 'none',
    retryable: true,
    says: 'The server failed too often of late; nothing was sent; see retryAt.',
  },
  OVERLOADED: {
    execution: 'none',
    retryable: true,
    says: 'Too many calls are in flight or waiting; nothing was sent.',
  },
  DEADLINE_EXCEEDED: { execution: 'none', retryable: true, says: 'The deadline passed with nothing executed.' },
  ABORTED: { execution: 'none', retryable: true, says: 'The caller’s signal aborted before anything was sent.' },
  CLOSED: { execution: 'none', retryable: false, says: 'This instance is closing or closed.' },
  IN_PROGRESS: {
    execution: 'unknown',
    retryable: true,
    says: 'Another process drives this operation; repeat with the same key to get its answer.',
  },
  IN_DOUBT: {
    execution: 'unknown',
    retryable: false,
    says: 'It was sent and nobody can know whether it ran. Look, then resolve it; do not repeat it blindly.',
  },
  REPEAT_QUARANTINED: {
    execution: 'unknown',
    retryable: false,
    says: 'The same call is in doubt under another operation; see operationId. Pass repeatOf to repeat it knowingly.',
  },
  RESULT_UNUSABLE: {
    execution: 'done',
    retryable: false,
    says: 'The tool ran, but its answer cannot be used: malformed, too large, or refused by its outputSchema.',
  },
  LEDGER_UNAVAILABLE: { execution: 'none', retryable: true, says: 'The ledger did not answer; nothing was sent.' },
  LEDGER_FULL: {
    execution: 'none',
    retryable: true,
    says: 'The ledger holds as many records as it may. It never forgets a key early to make room.',
  },
  LEDGER_CORRUPT: { execution: 'none', retryable: false, says: 'The ledger’s file or a record in it cannot be read.' },
  LEDGER_VERSION: { execution: 'none', retryable: false, says: 'The ledger was written by a newer version.' },
  LEDGER_CLOSED: { execution: 'none', retryable: false, says: 'The ledger was closed.' },
  QUEUE_UNAVAILABLE: {
    execution: 'none',
    retryable: true,
    says: 'The queue could not be reached, or did not confirm the job. Put it there again with the same key.',
  },
  OPERATION_NOT_FOUND: { execution: 'none', retryable: false, says: 'No such operation.' },
  INTERNAL: {
    execution: 'unknown',
    retryable: false,
    says: 'A defect of MCP-Tx or of a user’s hook; the cause is attached.',
  },
};

/** What an error may tell beyond its code. */
export interface TxErrorDetails {
  readonly execution?: Execution;
  readonly retryable?: boolean;
  /** Earliest moment at which a repeat makes sense, epoch ms. */
  readonly retryAt?: number;
  readonly operationId?: string;
  /** Short machine-readable cause within the code: `timeout`, `connection-lost`, … */
  readonly reason?: string;
  readonly meta?: CallMeta;
  readonly cause?: unknown;
  /** What the server said: its JSON-RPC error or HTTP status. */
  readonly serverError?: ServerError;
}

/** A server's own refusal, passed on. */
export interface ServerError {
  readonly code?: number;
  readonly status?: number;
  readonly message: string;
  readonly data?: unknown;
}

const BRAND: unique symbol = Symbol.for('mcp-tx.error');

/** Thrown by every public function that can fail. Recognise it with {@link isMcpTxError}, not with `instanceof`. */
export class McpTxError extends Error {
  readonly code: TxErrorCode;
  readonly execution: Execution;
  readonly retryable: boolean;
  declare readonly retryAt?: number;
  declare readonly operationId?: string;
  declare readonly reason?: string;
  declare readonly meta?: CallMeta;
  declare readonly serverError?: ServerError;

  constructor(code: TxErrorCode, message: string, details: TxErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Object.defineProperty(this, BRAND, { value: true });
    this.name = 'McpTxError';
    this.code = code;
    this.execution = details.execution ?? TX_ERRORS[code].execution;
    this.retryable = details.retryable ?? TX_ERRORS[code].retryable;
    if (details.retryAt !== undefined) this.retryAt = details.retryAt;
    if (details.operationId !== undefined) this.operationId = details.operationId;
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.meta !== undefined) this.meta = details.meta;
    if (details.serverError !== undefined) this.serverError = details.serverError;
  }
}

/** Whether `value` is an {@link McpTxError}, also one made by another copy of this package. */
export function isMcpTxError(value: unknown): value is McpTxError {
  return typeof value === 'object' && value !== null && (value as { readonly [BRAND]?: unknown })[BRAND] === true;
}
