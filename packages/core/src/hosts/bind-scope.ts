/** Binds an instance to one request: its scope, which no option can change, and its deadline and signal, which options can only shorten. */
import type { ListQuery, Page } from '../ledger/ledger-reader.ts';
import type { OperationRecord } from '../ledger/record.ts';
import { callOutcome } from '../outcome/call-outcome.ts';
import type { CallOutcome, McpTxResult } from '../outcome/call-result.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { CallOptions } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { McpTx } from '../session/mcp-tx.ts';
import type { ClientSource } from './lazy-client.ts';
import { lazyClient } from './lazy-client.ts';

/** What a request binds its calls to. */
export interface ScopeBinding {
  /** The tenant or principal, from verified authentication; or what finds it out, asked once, at the first call. `undefined`: the instance's own. */
  readonly scope: string | undefined | (() => string | undefined | Promise<string | undefined>);
  /** Aborts when the caller has gone. Calls then detach; only declared safe ones without a key are cancelled. */
  readonly signal?: AbortSignal | undefined;
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

  async callTool(
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    options: CallOptions = {},
  ): Promise<McpTxResult> {
    const client = await this.#client();
    const own = this.#ownScope();
    const scope = (typeof own === 'object' ? await own : own) ?? client.scope;
    if (options.scope !== undefined && options.scope !== scope)
      throw new McpTxError('CALL_INVALID', 'the scope is the request’s own; no option changes it');
    return client.callTool(tool, args, { ...options, scope, ...(await this.#waits(client, tool, options)) });
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

  /** What this call waits for. Nothing breaks off a call that has a key: its caller comes back for the answer. */
  async #waits(client: McpTx, tool: string, options: CallOptions): Promise<CallOptions> {
    const { signal } = this.#binding;
    const leftMs = this.#endsAt === undefined ? undefined : this.#endsAt - this.#clock.monotonic();
    if (leftMs !== undefined && leftMs <= 0)
      throw new McpTxError('DEADLINE_EXCEEDED', `the deadline passed before ${tool} was called`);
    const time = leftMs === undefined ? {} : { maxTimeoutMs: Math.min(options.maxTimeoutMs ?? leftMs, leftMs) };
    if (signal === undefined || options.idempotencyKey !== undefined) return time;
    const both = options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]);
    const onAbort = options.onAbort ?? ((await client.isReadOnly(tool)) ? 'cancel' : 'detach');
    return { ...time, signal: both, onAbort };
  }

  #ownScope(): string | undefined | Promise<string | undefined> {
    const { scope } = this.#binding;
    if (typeof scope !== 'function') return scope;
    this.#scope ??= Promise.resolve(scope());
    return this.#scope;
  }
}
