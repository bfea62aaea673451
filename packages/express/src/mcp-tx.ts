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

/** Where a request keeps the view that was bound last. */
const LATEST: unique symbol = Symbol.for('mcp-tx.express.latest');

/** A request that the middleware has seen: views by the symbol of their property. */
type Seen = Request & { [key: symbol]: LazyScope | undefined };

/**
 * Makes the middleware. It costs a request nothing that never calls a tool.
 *
 * The scope of the principal is fixed: no option of a call changes it. When the client goes, calls without a key detach, or are
 * cancelled if their tool is declared read-only; calls with a key go on.
 *
 * @throws McpTxError `UNAUTHENTICATED` (an `HttpError`, 401) from the calls of a request that nobody is known for
 */
export function mcpTx(options: McpTxMiddlewareOptions): RequestHandler {
  const { property = 'mcpTx', authenticate, client } = options;
  if (typeof authenticate !== 'function' && authenticate !== 'single-tenant')
    throw new TypeError("mcpTx: authenticate must be a function that says who asks, or explicitly 'single-tenant'");
  const lazy = { ...options, client: lazyClient(client) };
  const key = Symbol.for(`mcp-tx.express.property.${property}`);
  return (req, res, next) => {
    addGetter(Object.getPrototypeOf(req) as object, property, key);
    const scope = new LazyScope(lazy, req, res);
    (req as Seen)[key] = scope; // symbols: neither JSON nor loggers see them
    (req as Seen)[LATEST] = scope;
    next();
  };
}

/** What `req.mcpTx` is, whatever name it was given. @throws TypeError when the middleware has not seen this request */
export function getMcpTx(req: Request): McpTxScope {
  const scope = (req as Seen)[LATEST];
  if (scope === undefined) throw new TypeError('getMcpTx: app.use(mcpTx({ … })) must come before this route');
  return scope.get();
}

/** Makes a request's view when it is first asked for. */
class LazyScope {
  readonly #options: McpTxMiddlewareOptions;
  readonly #req: Request;
  readonly #res: Response;
  #scope: McpTxScope | undefined;

  constructor(options: McpTxMiddlewareOptions, req: Request, res: Response) {
    this.#options = options;
    this.#req = req;
    this.#res = res;
  }

  get(): McpTxScope {
    this.#scope ??= this.#bind();
    return this.#scope;
  }

  #bind(): McpTxScope {
    const { client, authenticate, deadline = {} } = this.#options;
    const { method, path, headers } = this.#req;
    const scopeOf = async (): Promise<string | undefined> =>
      (await authenticateCaller(authenticate, callerOf({ method, path, headers, host: this.#req })))?.scope;
    return bindScope(client, {
      scope: authenticate === 'single-tenant' ? undefined : scopeOf,
      signal: goneSignal(this.#res),
      timeoutMs: timeoutOf(headers, preferencesOf(headers), deadline),
    });
  }
}

/** Puts the getter on what all requests of an app inherit: a getter of its own would give each request a shape of its own, which is slow. */
function addGetter(prototype: object, property: string, key: symbol): void {
  if (Object.hasOwn(prototype, property)) return;
  const get = function (this: Seen): McpTxScope | undefined {
    return this[key]?.get();
  };
  Object.defineProperty(prototype, property, { get, configurable: true, enumerable: false });
}
