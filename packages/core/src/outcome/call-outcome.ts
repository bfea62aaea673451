/** Turns a call that may throw into a value that says how it went. */
import type { CallOutcome, McpTxResult } from './call-result.ts';
import { isMcpTxError } from './tx-error.ts';

/** The outcome of a call. What is no `McpTxError` is a defect and still rejects. */
export async function callOutcome(call: Promise<McpTxResult>): Promise<CallOutcome> {
  try {
    return { ok: true, ...(await call) };
  } catch (error) {
    if (isMcpTxError(error)) return { ok: false, error };
    throw error;
  }
}
