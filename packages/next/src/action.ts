/** Makes server actions of functions that call tools: what they give back, good or bad, can travel to the browser. */
import type { ClientSource, McpTxScope, Principal, ProblemDetails } from '@mcp-tx/core/http';
import { bindScope, HttpError } from '@mcp-tx/core/http';
import type { ProblemOptions } from './own-error.ts';
import { ownProblem } from './own-error.ts';
import { toPlain } from './plain.ts';

/** Options of {@link action}. `client` and `authenticate` are required. */
export interface ActionOptions extends ProblemOptions {
  readonly client: ClientSource;
  /** Who asks, from `cookies()` or `headers()` of Next; `null` when that is not known. `'single-tenant'`: everybody is the instance's own scope. */
  readonly authenticate: (() => Principal | null | Promise<Principal | null>) | 'single-tenant';
  /** All calls of one action end within this time, ms. Default: each has the instance's own. */
  readonly timeoutMs?: number;
}

/** What an action gives back. Next redacts the messages of thrown errors; a problem arrives whole. */
export type ActionResult<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly problem: ProblemDetails };

/**
 * Wraps a function that calls tools, for use inside of a server action. It runs only for somebody who is known. An `McpTxError` becomes a
 * problem; everything else that it throws, such as Next's `redirect()`, is thrown on.
 *
 * An action has no signal: a person who leaves the page does not stop it. Give its calls an idempotency key that the form brings along,
 * so that a second submit is the same operation.
 */
export function action<Args extends readonly unknown[], Result>(
  options: ActionOptions,
  run: (mcpTx: McpTxScope, ...args: Args) => Result | Promise<Result>,
): (...args: Args) => Promise<ActionResult<Result>> {
  const { client, authenticate, timeoutMs } = options;
  return async (...args) => {
    try {
      const scope = await scopeOf(authenticate);
      return { ok: true, result: toPlain(await run(bindScope(client, { scope, timeoutMs }), ...args)) };
    } catch (error) {
      return { ok: false, problem: ownProblem(error, options) };
    }
  };
}

/** @throws HttpError `UNAUTHENTICATED` */
async function scopeOf(authenticate: ActionOptions['authenticate']): Promise<string | undefined> {
  if (authenticate === 'single-tenant') return undefined;
  const principal = await authenticate();
  if (typeof principal?.scope === 'string' && principal.scope !== '') return principal.scope;
  throw new HttpError('UNAUTHENTICATED');
}
