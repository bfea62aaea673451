/** Tells errors of MCP-Tx from everything else that is thrown: redirects and "not found" of Next, and the user's own. */
import { isMcpTxError } from '@mcp-tx/core';
import type { ProblemDetails } from '@mcp-tx/core/http';
import { isHttpError, toProblem } from '@mcp-tx/core/http';

/** How errors are told. */
export interface ProblemOptions {
  /** What the `type` of a problem begins with. Default `urn:mcp-tx:problem:`. */
  readonly problemBase?: string;
  /** Hears what a caller is not told: the error behind a problem with a status of 500 and more. */
  readonly onError?: (error: unknown) => void;
}

/** The problem that an error of MCP-Tx is. Everything else is thrown again: it means something to somebody else. */
export function ownProblem(error: unknown, { problemBase, onError }: ProblemOptions): ProblemDetails {
  if (!isMcpTxError(error) && !isHttpError(error)) throw error;
  const problem = toProblem(error, problemBase);
  if (problem.status >= 500) tell(onError, error);
  return problem;
}

function tell(onError: ProblemOptions['onError'], error: unknown): void {
  try {
    onError?.(error);
  } catch {
    // the answer does not depend on who listens
  }
}
