/** An instance as the request at hand sees it: a provider that lives as long as the application, and never mixes two requests. */
import type { CallOutcome, McpTx, McpTxResult, OperationRecord } from '@mcp-tx/core';
import { McpTxError } from '@mcp-tx/core';
import type { BoundCallOptions, McpTxScope } from '@mcp-tx/core/http';
import { authenticateCaller, bindScope } from '@mcp-tx/core/http';
import type { McpTxModuleOptions } from './module-options.ts';
import type { RequestStore } from './request-store.ts';
import { requestStore } from './request-store.ts';

type Authentication = NonNullable<McpTxModuleOptions['authenticate']>;

/**
 * Calls tools with the scope, the deadline and the signal of the request that is being served. Inject the class for the default
 * connection, `@InjectMcpTxService(name)` for another. Not request-scoped: it makes nothing that injects it request-scoped.
 */
export class McpTxService implements McpTxScope {
  readonly #client: McpTx;
  readonly #authenticate: Authentication;

  constructor(client: McpTx, authenticate: Authentication = 'single-tenant') {
    this.#client = client;
    this.#authenticate = authenticate;
  }

  /** @throws McpTxError; `CALL_INVALID` where there is neither a request nor a scope and callers are told apart */
  callTool(tool: string, args?: Readonly<Record<string, unknown>>, options?: BoundCallOptions): Promise<McpTxResult> {
    return this.#use((scope) => scope.callTool(tool, args, options));
  }

  /** The same without throwing. @throws McpTxError `CALL_INVALID` where there is no scope to call in; HttpError of the hook */
  tryCallTool(
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    options?: BoundCallOptions,
  ): Promise<CallOutcome> {
    return this.#use((scope) => scope.tryCallTool(tool, args, options));
  }

  /** An operation of this scope; `undefined` for everybody else's, as for none. */
  getOperation(operationId: string): Promise<OperationRecord | undefined> {
    return this.#use((scope) => scope.getOperation(operationId));
  }

  /** Operations of this scope, newest first. @throws McpTxError `CONFIG_INVALID` when the ledger cannot be listed */
  listOperations(query?: Parameters<McpTxScope['listOperations']>[0]): ReturnType<McpTxScope['listOperations']> {
    return this.#use((scope) => scope.listOperations(query));
  }

  /** Runs work that no request asked for (a schedule, a message) in a scope. `scope` must come from something verified. */
  runInScope<T>(scope: string, work: () => T): T {
    return requestStore.run({ scope }, work);
  }

  async #use<T>(act: (scope: McpTxScope) => Promise<T>): Promise<T> {
    return act(this.#bind(requestStore.getStore()));
  }

  #bind(store: RequestStore | undefined): McpTxScope {
    if (store === undefined) {
      if (this.#authenticate === 'single-tenant') return bindScope(this.#client, { scope: undefined });
      throw new McpTxError('CALL_INVALID', 'whose call is this? Use the McpTxInterceptor, or runInScope(scope, …)');
    }
    if ('scope' in store) return bindScope(this.#client, { scope: store.scope });
    const known = store.bound.get(this);
    if (known !== undefined) return known;
    const { caller, signal, timeoutMs } = store;
    const scope = async (): Promise<string | undefined> =>
      (await authenticateCaller(this.#authenticate, caller))?.scope;
    const bound = bindScope(this.#client, { scope, signal, timeoutMs });
    store.bound.set(this, bound);
    return bound;
  }
}
