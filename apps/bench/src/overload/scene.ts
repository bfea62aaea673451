// What is put under load: the server's capacity, and the three clients that stand between it and the load.

/** How many calls the server runs at once. */
export const SLOTS = 8;
/** How long each takes, ms. */
export const SERVICE_MS = 20;

/**
 * `short-line`: MCP-Tx with a line of four. `long-line`: MCP-Tx with its default line of 256 and a deadline of 200 ms, which is
 * less than such a line takes. `raw`: the SDK's client with a timeout of 1,000 ms.
 */
export type Subject = 'short-line' | 'long-line' | 'raw';

/** How a call ended. `unknown`: it was sent, and nobody knows. */
export type End = 'ok' | 'refused' | 'unknown';
