/** What runs ahead of the API: a path that means nothing is refused in its form. */
import { refuseMalformedPath } from '@mcp-tx/next';

// Only paths with percent-encoding: ahead of a route Next waits for the whole body, and one that never ends would never be answered.
export const config = { matcher: '/api/(.*%.*)' };

/** Called by Next. */
export function proxy(request: Request): Response | undefined {
  return refuseMalformedPath(request);
}
