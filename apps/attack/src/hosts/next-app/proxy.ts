// Runs ahead of the routes, as in a user’s app.
import { refuseMalformedPath } from '@mcp-tx/next';

// Only paths with percent-encoding: ahead of a route Next waits for the whole body, and one that never ends would never be answered.
export const config = { matcher: '/hosts/(.*%.*)' };

/** Called by Next. */
export function proxy(request: Request): Response | undefined {
  return refuseMalformedPath(request);
}
