/** Owns what a tool can learn of the recorded call that it runs for, without being changed: a value that follows it through awaits. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** The recorded call that a tool runs for. */
export interface CurrentCall {
  /**
   * This server's own name of the operation. Unlike what a client sent it is unique over all scopes, so it can be handed on
   * as an idempotency key, for example to a payment provider.
   */
  readonly idempotencyKey: string;
  /** The client's name of the operation. */
  readonly operationId: string;
  /** SHA-256 over tool and arguments, base64url, as this server computed it. */
  readonly fingerprint: string;
  readonly scope: string;
  readonly tool: string;
  /** Id of the client's call; empty when it sent none. */
  readonly requestId: string;
  /** Number of the send that brought it here, from 1. */
  readonly attempt: number;
  /**
   * Ends the call inside one transaction of the ledger's own store: what `work` writes through `db` and the result that it
   * returns are committed together, or not at all. Only for tools that `transactional` names, and once in a call, unless
   * `work` threw. What `db` is, the ledger says. Returns what `work` returned; what the tool says later is told to nobody.
   *
   * @throws what `work` threw, with nothing written; McpTxError `CONFIG_INVALID` when the tool is not transactional,
   * `IN_PROGRESS` when another process has taken over, `LEDGER_UNAVAILABLE`, `DEADLINE_EXCEEDED`, `CALL_INVALID` the second time
   */
  transaction<Db, R extends object>(work: (db: Db) => Promise<R> | R): Promise<R>;
  /** Time that the client has left, ms, not below 0; infinite when it did not say. What it does then is its own affair. */
  remainingMs(): number;
}

/** Two copies of this package in one process must find the same store. */
const STORE: unique symbol = Symbol.for('mcp-tx.server.current-call');

/** The recorded call that this code runs for; `undefined` outside of one, and in plain calls. */
export function currentCall(): CurrentCall | undefined {
  return store().getStore();
}

/** Runs `body` for a call. */
export function runFor<T>(call: CurrentCall, body: () => T): T {
  return store().run(call, body);
}

function store(): AsyncLocalStorage<CurrentCall> {
  const home = globalThis as { [STORE]?: AsyncLocalStorage<CurrentCall> };
  home[STORE] ??= new AsyncLocalStorage<CurrentCall>();
  return home[STORE];
}
