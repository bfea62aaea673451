/** Answers requests with a path that Next cannot read, before Next answers them with a 500 of its own. */
import { HttpError, problemResponse, toResponse } from '@mcp-tx/core/http';

/**
 * For `proxy.ts`: the 400 for a path whose percent-encoding means nothing, in the form of every other problem; `undefined` for all other
 * requests, which then go on.
 */
export function refuseMalformedPath(request: Request): Response | undefined {
  try {
    decodeURIComponent(new URL(request.url).pathname);
    return undefined;
  } catch {
    const error = new HttpError('REQUEST_INVALID', 'the path is not percent-encoded UTF-8');
    return toResponse(problemResponse(error, { now: Date.now() }), request.method);
  }
}
