/** Puts the HTTP API into a catch-all route: `app/api/mcp/[...path]/route.ts`. */
import type { FetchHandler, FetchHandlerOptions, HttpKernelOptions } from '@mcp-tx/core/http';
import { createFetchHandler, createHttpKernel } from '@mcp-tx/core/http';
import { rememberKernel } from './drain.ts';

/** Options of {@link createMcpTxHandlers}: those of every HTTP host. */
export interface McpTxHandlersOptions extends HttpKernelOptions<Request>, FetchHandlerOptions {}

/** What a `route.ts` exports: `GET` and `POST`; with the others, too, a wrong method gets a problem that names the right one. */
export interface McpTxHandlers {
  readonly GET: FetchHandler;
  readonly POST: FetchHandler;
  readonly PUT: FetchHandler;
  readonly PATCH: FetchHandler;
  readonly DELETE: FetchHandler;
}

/**
 * The handlers of `route.ts`: `POST …/execute/:tool`, `GET …/operations/:id`, `GET …/operations`, `GET …/livez`, `GET …/readyz`. Nothing
 * is connected before the first request, so that `next build` may load the module.
 *
 * The route must say `export const runtime = 'nodejs'` and `dynamic = 'force-dynamic'` itself: Next reads these without running them.
 *
 * @throws McpTxError `CONFIG_INVALID`
 */
export function createMcpTxHandlers({ mount, ...options }: McpTxHandlersOptions): McpTxHandlers {
  const kernel = createHttpKernel(options);
  rememberKernel(kernel);
  const handle = createFetchHandler(kernel, mount === undefined ? {} : { mount });
  return { GET: handle, POST: handle, PUT: handle, PATCH: handle, DELETE: handle };
}
