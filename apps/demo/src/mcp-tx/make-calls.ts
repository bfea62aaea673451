/** Makes calls with MCP-Tx. There is no loop around a call here: what may be tried again, MCP-Tx tries again itself. */
import type { McpTx, McpTxError } from '@mcp-tx/core';
import type { Call } from './work-left.ts';

/** How the calls are made, and what is told about them. */
export interface CallsUnderWay {
  /** Calls at once; 1 unless said. */
  readonly atOnce?: number;
  /** No new call after this. */
  readonly signal?: AbortSignal;
  onDone?(done: number): void;
  onError?(error: McpTxError): void;
}

/** Makes each call once. */
export async function makeCalls(
  tx: McpTx,
  tool: string,
  calls: readonly Call[],
  { atOnce = 1, signal, onDone, onError }: CallsUnderWay,
): Promise<void> {
  let next = 0;
  let done = 0;
  const takeCalls = async (): Promise<void> => {
    for (let call = calls[next]; call !== undefined && signal?.aborted !== true; call = calls[next]) {
      next += 1;
      const { operation, key } = call;
      const outcome = await tx.tryCallTool(tool, operation.arguments, { idempotencyKey: key });
      if (!outcome.ok) onError?.(outcome.error);
      done += 1;
      onDone?.(done);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, takeCalls));
}
