/** The HTTP API as a router: whatever Express has, the kernel decides. */
import type { HttpKernel, HttpKernelOptions } from '@mcp-tx/core/http';
import { createHttpKernel, createNodeHandler, isKernelPath } from '@mcp-tx/core/http';
import type { Request } from 'express';
import { Router } from 'express';

/** A router that can be drained. */
export interface McpTxRouter extends Router {
  readonly kernel: HttpKernel<Request>;
}

/**
 * Makes a router with `POST execute/:tool`, `GET operations`, `GET operations/:id`, `livez` and `readyz`. Mount it before
 * `express.json()`: a body that something else has parsed has lost its duplicate members.
 *
 * @throws McpTxError `CONFIG_INVALID`
 */
export function createMcpTxRouter(options: HttpKernelOptions<Request>): McpTxRouter {
  const kernel = createHttpKernel<Request>(options);
  const router = Router();
  router.use((req, res, next) => {
    const mount = req.baseUrl;
    if (mount === '' && !isKernelPath(req.path)) return next(); // at the root there are others' routes
    return createNodeHandler(kernel, { mount })(req, res).catch(next);
  });
  return Object.assign(router, { kernel });
}
