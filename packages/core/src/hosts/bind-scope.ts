/** Binds an instance to one request: its scope, which no option can change, and its deadline and signal, which options can only shorten. */
import type { ListQuery, Page } from '../ledger/ledger-reader.ts';
import type { OperationRecord } from '../ledger/record.ts';
import { callOutcome } from '../outcome/call-outcome.ts';
import type { CallOutcome, McpTxResult } from '../outcome/call-result.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { CallOptions } from '../policy/settings.ts';
import type { AbortSource } from '../runtime/abort-source.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Mutable } from '../runtime/mutable.ts';
import type { McpTx } from '../session/mcp-tx.ts';
import { withSignal } from '../session/with-signal.ts';
import type { ClientSource } from './lazy-client.ts';
import { lazyClient } from './lazy-client.ts';

/** What a request binds its calls to. */
export interface ScopeBinding {
  /** The tenant or principal, from verified authentication; or what finds it out, asked once, at the first call. `undefined`: the instance's own. */
  readonly scope: string | undefined | (() => string | undefined | Promise<string | undefined>);
  /** Aborts when the caller has gone. Calls then detach; only declared safe ones without a key are cancelled. */
  readonly signal?: AbortSource | undefined;
  /** All calls end within this time from now, ms. */
  readonly timeoutMs?: number | undefined;
  /** For tests. */
  readonly clock?: Clock;
}

/** Options of a bound call. */
export type BoundCallOptions = Omit<CallOptions, 'scope'>;

/** An instance as one request sees it. */
export interface McpTxScope {
  /** See `McpTx.callTool`. @throws McpTxError, also `CALL_INVALID` for an option `scope` that is not this one */
  callTool(tool: string, args?: Readonly<Record<string, unknown>>, options?: BoundCallOptions): Promise<McpTxResult>;
  /** The same without throwing. */
  tryCallTool(tool: string, args?: Readonly<Record<string, unknown>>, options?: BoundCallOptions): Promise<CallOutcome>;
  /** An operation of this scope on this server; `undefined` for everybody else's, as for none. */
  getOperation(operationId: string): Promise<OperationRecord | undefined>;
  /** Operations of this scope on this server, newest first. @throws McpTxError `CONFIG_INVALID` when the ledger cannot be listed */
  listOperations(query?: Omit<ListQuery, 'scope' | 'serverName'>): Promise<Page>;
}

/** Binds. Nothing is made or asked before the first call. */
export function bindScope(source: ClientSource, binding: ScopeBinding): McpTxScope {
  return new BoundScope(source, binding);
}

class BoundScope implements McpTxScope {
  readonly #client: ReturnType<typeof lazyClient>;
  readonly #binding: ScopeBinding;
  readonly #clock: Clock;
  readonly #endsAt: number | undefined;
  #scope: Promise<string | undefined> | undefined;

  constructor(source: ClientSource, binding: ScopeBinding) {
    this.#client = lazyClient(source);
    this.#binding = binding;
    this.#clock = binding.clock ?? systemClock;
    this.#endsAt = binding.timeoutMs === undefined ? undefined : this.#clock.monotonic() + binding.timeoutMs;
  }

  callTool(tool: string, args?: Readonly<Record<string, unknown>>, options: CallOptions = {}): Promise<McpTxResult> {
    try {
      const client = this.#client();
      if (client instanceof Promise) return this.#callLater(client, tool, args, options);
      const scope = this.#ownScope();
      const isReadOnly = this.#isCancelled(client, tool, options);
      if (typeof scope === 'object' || typeof isReadOnly === 'object')
        return this.#callLater(client, tool, args, options);
      return this.#call(client, scope, isReadOnly, tool, args, options); // almost always everything is there
    } catch (error) {
      return Promise.reject(error);
    }
  }

  tryCallTool(
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    options?: BoundCallOptions,
  ): Promise<CallOutcome> {
    return callOutcome(this.callTool(tool, args, options));
  }

  async getOperation(operationId: string): Promise<OperationRecord | undefined> {
    const client = await this.#client();
    const scope = (await this.#ownScope()) ?? client.scope;
    const record = await client.getOperation(operationId);
    return record?.scope === scope && record.serverName === client.name ? record : undefined;
  }

  async listOperations(query: Omit<ListQuery, 'scope' | 'serverName'> = {}): Promise<Page> {
    const client = await this.#client();
    const scope = (await this.#ownScope()) ?? client.scope;
    return client.listOperations({ ...query, scope, serverName: client.name });
  }

  async #callLater(
    source: McpTx | Promise<McpTx>,
    tool: string,
    args: Readonly<Record<string, unknown>> | undefined,
    options: CallOptions,
  ): Promise<McpTxResult> {
    const client = await source;
    const scope = await this.#ownScope();
    return this.#call(client, scope, await this.#isCancelled(client, tool, options), tool, args, options);
  }

  #call(
    client: McpTx,
    own: string | undefined,
    isCancelled: boolean,
    tool: string,
    args: Readonly<Record<string, unknown>> | undefined,
    options: CallOptions,
  ): Promise<McpTxResult> {
    const scope = own ?? client.scope;
    if (options.scope !== undefined && options.scope !== scope)
      throw new McpTxError('CALL_INVALID', 'the scope is the request’s own; no option changes it');
    const bound: Mutable<CallOptions> = { ...options, scope };
    if (this.#endsAt !== undefined) bound.maxTimeoutMs = this.#leftMs(tool, options);
    const { signal } = this.#binding;
    if (signal === undefined || options.idempotencyKey !== undefined) return client.callTool(tool, args, bound);
    bound.onAbort ??= isCancelled ? 'cancel' : 'detach';
    bound.signal = signal;
    const { signal: given } = options;
    if (given === undefined) return client.callTool(tool, args, bound);
    return withSignal(signal, (ofRequest) =>
      withSignal(given, (ofCall) =>
        client.callTool(tool, args, { ...bound, signal: AbortSignal.any([ofRequest, ofCall]) }),
      ),
    );
  }

  #leftMs(tool: string, { maxTimeoutMs }: CallOptions): number {
    const leftMs = (this.#endsAt ?? 0) - this.#clock.monotonic();
    if (leftMs > 0) return Math.min(maxTimeoutMs ?? leftMs, leftMs);
    throw new McpTxError('DEADLINE_EXCEEDED', `the deadline passed before ${tool} was called`);
  }

  /** Whether the call ends with its caller. One with a key never does: its caller comes back for the answer. */
  #isCancelled(client: McpTx, tool: string, { idempotencyKey, onAbort }: CallOptions): boolean | Promise<boolean> {
    if (this.#binding.signal === undefined || idempotencyKey !== undefined || onAbort !== undefined) return false;
    return client.isReadOnly(tool);
  }

  #ownScope(): string | undefined | Promise<string | undefined> {
    const { scope } = this.#binding;
    if (typeof scope !== 'function') return scope;
    this.#scope ??= Promise.resolve(scope());
    return this.#scope;
  }
}
