/** Starts the connection before the first request, and never stands in its way. */

/** What can be connected ahead of time; an `McpTx` can. */
export interface Warmable {
  initialize?(): Promise<void>;
}

/**
 * Begins to connect, for `register()` of `instrumentation.ts`. Returns at once and never throws: a `register()` that throws makes Next
 * answer every request with 500. A failure is given to `onError` (default: a line on standard error), and the first call tries anew.
 */
export function warm(client: () => Warmable | Promise<Warmable>, onError: (error: unknown) => void = report): void {
  void (async () => (await client()).initialize?.())().catch((error: unknown) => {
    try {
      onError(error);
    } catch {
      // what the user's function throws has nowhere to go
    }
  });
}

function report(error: unknown): void {
  console.error('mcp-tx: the connection could not be warmed up; the first call tries again:', error);
}
