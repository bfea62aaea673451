/** Answers errors of an app's own routes as the API does: problems of RFC 9457. */

import { isMcpTxError, systemClock } from '@mcp-tx/core';
import type { HttpErrorCode } from '@mcp-tx/core/http';
import { HttpError, isHttpError, problemResponse } from '@mcp-tx/core/http';
import type { ErrorRequestHandler } from 'express';

/** Options of {@link mcpTxErrorHandler}. */
export interface ErrorHandlerOptions {
  /** What the `type` of a problem begins with. Default `urn:mcp-tx:problem:`. */
  readonly base?: string;
  /** Path of the API's router, for `Location` headers. */
  readonly mount?: string;
  /** `false`: every other error becomes a problem, too: those of body parsers with their status, the rest as 500. Default `true`. */
  readonly onlyMcpTx?: boolean;
}

/** What body parsers and Express itself name their errors. */
const PARSER_ERRORS: Readonly<Record<string, HttpErrorCode>> = {
  'entity.parse.failed': 'BODY_INVALID',
  'entity.verify.failed': 'BODY_INVALID',
  'request.size.invalid': 'BODY_INVALID',
  'request.aborted': 'BODY_INVALID',
  'entity.too.large': 'BODY_TOO_LARGE',
  'charset.unsupported': 'MEDIA_TYPE_UNSUPPORTED',
  'encoding.unsupported': 'MEDIA_TYPE_UNSUPPORTED',
};

/** Makes the error middleware. It comes last. A response that has begun, or whose client has gone, is left to Express. */
export function mcpTxErrorHandler(options: ErrorHandlerOptions = {}): ErrorRequestHandler {
  const { base, mount, onlyMcpTx = true } = options;
  return (error: unknown, _req, res, next) => {
    if (res.headersSent || res.destroyed) return next(error);
    if (onlyMcpTx && !isMcpTxError(error) && !isHttpError(error)) return next(error);
    const { status, headers, body } = problemResponse(httpErrorOf(error), { base, mount, now: systemClock.now() });
    return res.status(status).set(headers).end(body);
  };
}

/** A parser's error in the words of the API; every other error as it is. */
function httpErrorOf(error: unknown): unknown {
  const { type, status } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const code = typeof type === 'string' && Object.hasOwn(PARSER_ERRORS, type) ? PARSER_ERRORS[type] : undefined;
  if (code !== undefined) return new HttpError(code, undefined, { cause: error });
  if (error instanceof URIError && status === 400) return new HttpError('REQUEST_INVALID', undefined, { cause: error });
  return error;
}
