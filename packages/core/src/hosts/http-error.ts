/** Errors of HTTP itself, which no tool call ever reached, and the status that each one has. */
import type { TxErrorCode } from '../outcome/tx-error.ts';

/** What went wrong before there was a call. The names are public API. */
export type HttpErrorCode =
  | 'REQUEST_INVALID'
  | 'BODY_INVALID'
  | 'KEY_REQUIRED'
  | 'UNAUTHENTICATED'
  | 'ORIGIN_REFUSED'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'BODY_TIMEOUT'
  | 'BODY_TOO_LARGE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'HOST_REFUSED'
  | 'RATE_LIMITED'
  | 'DRAINING';

/** Every code that a problem can have. */
export type ProblemCode = TxErrorCode | HttpErrorCode;

/** What a code of {@link HttpErrorCode} means. */
export interface HttpErrorEntry {
  readonly status: number;
  readonly retryable: boolean;
  readonly says: string;
}

/** Every code of {@link HttpErrorCode}. Nothing was sent in any of these cases. */
export const HTTP_ERRORS: Readonly<Record<HttpErrorCode, HttpErrorEntry>> = {
  REQUEST_INVALID: { status: 400, retryable: false, says: 'A header, the path or the query is wrong.' },
  BODY_INVALID: { status: 400, retryable: false, says: 'The body is not the JSON that is asked for.' },
  KEY_REQUIRED: { status: 400, retryable: false, says: 'This tool needs an Idempotency-Key header.' },
  UNAUTHENTICATED: { status: 401, retryable: false, says: 'It is not known who asks.' },
  ORIGIN_REFUSED: { status: 403, retryable: false, says: 'Pages of this origin may not ask.' },
  NOT_FOUND: { status: 404, retryable: false, says: 'There is nothing at this path.' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, says: 'This path has other methods.' },
  BODY_TIMEOUT: { status: 408, retryable: true, says: 'The body did not arrive in time.' },
  BODY_TOO_LARGE: { status: 413, retryable: false, says: 'The body is larger than allowed.' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, retryable: false, says: 'The body must be application/json in UTF-8.' },
  HOST_REFUSED: { status: 421, retryable: false, says: 'This server does not answer for that host name.' },
  RATE_LIMITED: { status: 429, retryable: true, says: 'Too many requests of this principal.' },
  DRAINING: { status: 503, retryable: true, says: 'This server is shutting down; nothing was sent.' },
};

/** What an {@link HttpError} may add. */
export interface HttpErrorDetails {
  /** Headers that belong to the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

const BRAND: unique symbol = Symbol.for('mcp-tx.http-error');

/** Thrown where a request goes no further. A shell hands it to `toProblem` like every other error. */
export class HttpError extends Error {
  readonly code: HttpErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpErrorCode, message: string = HTTP_ERRORS[code].says, details: HttpErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Object.defineProperty(this, BRAND, { value: true });
    this.name = 'HttpError';
    this.code = code;
    this.headers = details.headers ?? {};
  }
}

/** Whether `value` is an {@link HttpError}, also one made by another copy of this package. */
export function isHttpError(value: unknown): value is HttpError {
  return typeof value === 'object' && value !== null && (value as { readonly [BRAND]?: unknown })[BRAND] === true;
}
