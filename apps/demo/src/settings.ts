/** The times of the demo: much shorter than the defaults, so that nobody waits for the point to be made. */

/** How long one try may go unanswered, ms; the same for the retry loop and for MCP-Tx. */
export const ATTEMPT_TIMEOUT_MS = 1_000;
/** How often a call is tried; the same for both. */
export const MAX_ATTEMPTS = 3;
/** Calls under way at once, per server, when the program is killed. */
export const AT_ONCE = 4;

/** Options of MCP-Tx. */
export const TX_TIMES = {
  timeoutMs: 2_500,
  attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
  settleGraceMs: 300,
  quietMs: 100,
  leaseMs: 1_500,
  sweepIntervalMs: 0, // the demo sweeps when it wants to show what a sweep does
  retry: { maxAttempts: MAX_ATTEMPTS, baseDelayMs: 50, maxDelayMs: 500 },
} as const;
