/** Gives a route handler of the user's own an instance that is bound to the request. */
import type { Authenticate, ClientSource, McpTxScope } from '@mcp-tx/core/http';
import { authenticateCaller, bindScope, callerOf, problemResponse, toResponse } from '@mcp-tx/core/http';
import type { NextRequest } from 'next/server.js';
import type { ProblemOptions } from './own-error.ts';
import { ownProblem } from './own-error.ts';

/** Options of {@link withMcpTx}. `client` and `authenticate` are required. */
export interface WithMcpTxOptions extends ProblemOptions {
  readonly client: ClientSource;
  /** Who asks, or explicitly `'single-tenant'`: everybody is the instance's own scope. */
  readonly authenticate: Authenticate<NextRequest> | 'single-tenant';
  /** All calls of one request end within this time, ms. Default: each has the instance's own. */
  readonly timeoutMs?: number;
}

/** A handler that gets `mcpTx` beside what Next gives it. */
export type McpTxRouteHandler<Context extends object> = (
  request: NextRequest,
  context: Context & { readonly mcpTx: McpTxScope },
) => Response | Promise<Response>;

/**
 * Wraps a handler. It runs only for somebody who is known; an `McpTxError` that it throws is answered as a problem, and everything else
 * is Next's to handle.
 */
export function withMcpTx<Context extends object = object>(
  options: WithMcpTxOptions,
  handler: McpTxRouteHandler<Context>,
): (request: NextRequest, context: Context) => Promise<Response> {
  const { client, authenticate, timeoutMs } = options;
  return async (request, context) => {
    try {
      const { pathname } = new URL(request.url);
      const caller = callerOf({ method: request.method, path: pathname, headers: request.headers, host: request });
      const principal = await authenticateCaller(authenticate, caller);
      const mcpTx = bindScope(client, { scope: principal?.scope, signal: request.signal, timeoutMs });
      return await handler(request, { ...context, mcpTx });
    } catch (error) {
      ownProblem(error, options);
      return toResponse(problemResponse(error, { base: options.problemBase, now: Date.now() }), request.method);
    }
  };
}
