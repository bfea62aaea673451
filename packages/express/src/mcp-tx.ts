/** Gives every request its own view of an instance: `req.mcpTx`, made when it is first used. */
import type { Authenticate, ClientSource, DeadlineSettings, McpTxScope } from '@mcp-tx/core/http';
import {
  authenticateCaller,
  bindScope,
  callerOf,
  goneSignal,
  lazyClient,
  preferencesOf,
  timeoutOf,
} from '@mcp-tx/core/http';
import type { Request, RequestHandler, Response } from 'express';

declare global {
  namespace Express {
    interface Request {
      /** Reliable tool calls in the scope of this request. There with the middleware `mcpTx()`. */
      readonly mcpTx: McpTxScope;
    }
  }
}

/** Options of {@link mcpTx}. */
export interface McpTxMiddlewareOptions {
  /** The instance, or what makes it at the first call. */
  readonly client: ClientSource;
  /** Who asks, or explicitly `'single-tenant'`. Asked at the first call of a request that makes one. */
  readonly authenticate: Authenticate<Request> | 'single-tenant';
  /** Bounds of the deadline that a client may set by `Prefer: wait` or `MCP-Tx-Timeout-Ms`. */
  readonly deadline?: DeadlineSettings;
  /** Another name for `req.mcpTx`; read it with {@link getMcpTx} then. */
  readonly property?: string;
}

const SCOPES: unique symbol = Symbol.for('mcp-tx.express.scope');

/** A request that the middleware has seen. */
type Seen = Request & { [SCOPES]?: () => McpTxScope };

/**
 * Makes the middleware. It costs a request nothing that never calls a tool.
 *
 * The scope of the principal is fixed: no option of a call changes it. When the client goes, calls without a key detach, or are
 * cancelled if their tool is declared read-only; calls with a key go on.
 *
 * @throws McpTxError `UNAUTHENTICATED` (an `HttpError`, 401) from the calls of a request that nobody is known for
 */
export function mcpTx(options: McpTxMiddlewareOptions): RequestHandler {
  const { property = 'mcpTx', authenticate, deadline = {} } = options;
  if (typeof authenticate !== 'function' && authenticate !== 'single-tenant')
    throw new TypeError("mcpTx: authenticate must be a function that says who asks, or explicitly 'single-tenant'");
  const client = lazyClient(options.client);
  const bind = (req: Request, res: Response): McpTxScope => {
    const caller = callerOf({ method: req.method, path: req.path, headers: req.headers, host: req });
    return bindScope(client, {
      scope: async () => (await authenticateCaller(authenticate, caller))?.scope,
      signal: goneSignal(res),
      timeoutMs: timeoutOf(req.headers, preferencesOf(req.headers), deadline),
    });
  };
  return (req, res, next) => {
    let scope: McpTxScope | undefined;
    const get = (): McpTxScope => {
      scope ??= bind(req, res);
      return scope;
    };
    (req as Seen)[SCOPES] = get;
    Object.defineProperty(req, property, { get, configurable: true, enumerable: false }); // loggers shall not print it
    next();
  };
}

/** What `req.mcpTx` is, whatever name it was given. @throws TypeError when the middleware has not seen this request */
export function getMcpTx(req: Request): McpTxScope {
  const get = (req as Seen)[SCOPES];
  if (get === undefined) throw new TypeError('getMcpTx: app.use(mcpTx({ … })) must come before this route');
  return get();
}
