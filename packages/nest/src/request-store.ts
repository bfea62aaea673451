/** Which request is being served, known wherever its handler leads: for providers that live as long as the application. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { AbortSource } from '@mcp-tx/core';
import type { HttpCaller, McpTxScope } from '@mcp-tx/core/http';

/** A request under way, or a piece of work that was given a scope. */
export type RequestStore = ServedRequest | GivenScope;

/** A request under way. */
export interface ServedRequest {
  readonly caller: HttpCaller<IncomingMessage>;
  readonly signal: AbortSource;
  readonly timeoutMs: number | undefined;
  /** What each service has bound to this request. */
  readonly bound: Map<object, McpTxScope>;
}

/** A scope that somebody has named, where there is no request. */
interface GivenScope {
  readonly scope: string;
}

const KEY = Symbol.for('mcp-tx.nest.request-store');
const shared = globalThis as { [KEY]?: AsyncLocalStorage<RequestStore> };
shared[KEY] ??= new AsyncLocalStorage();

/** One per process, also where this package is loaded twice. */
export const requestStore: AsyncLocalStorage<RequestStore> = shared[KEY];
