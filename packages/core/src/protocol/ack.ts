/** The block that an answer carries: the server's acknowledgement in a result, or its refusal (NACK) in an error. */
import { EXTENSION_ID } from './capability.ts';
import { member } from './tx-meta.ts';

/** What a server that speaks MCP-Tx says about the operation it answers. */
export interface TxAck {
  /** The server took the request. `false` only in a refusal. */
  readonly ack: boolean;
  /** The tool ran, now or earlier. */
  readonly processed: boolean;
  /** The answer is a stored one. */
  readonly duplicate: boolean;
  /** Why a request was refused: `conflict`, `in-progress`, `in-doubt`, … */
  readonly reason?: string;
  /** When asking again makes sense, ms from now. */
  readonly retryAfterMs?: number;
  /** When the answer was stored, epoch ms. */
  readonly storedAt?: number;
  /** The tool's effect and the server's record of it were committed in one transaction. */
  readonly exactlyOnce?: true;
}

/** Reads the acknowledgement from a result's `_meta`; `undefined` from a server that does not speak MCP-Tx. */
export function readAck(resultMeta: unknown): TxAck | undefined {
  return toAck(member(resultMeta, EXTENSION_ID));
}

/** Reads the refusal from the `data` of a JSON-RPC error. */
export function readNack(errorData: unknown): TxAck | undefined {
  return toAck(member(errorData, EXTENSION_ID));
}

function toAck(block: unknown): TxAck | undefined {
  const ack = member(block, 'ack');
  const processed = member(block, 'processed');
  if (typeof ack !== 'boolean' || typeof processed !== 'boolean') return undefined;
  const reason = member(block, 'reason');
  const retryAfterMs = member(block, 'retryAfterMs');
  const storedAt = member(block, 'storedAt');
  return {
    ack,
    processed,
    duplicate: member(block, 'duplicate') === true,
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs } : {}),
    ...(typeof storedAt === 'number' ? { storedAt } : {}),
    ...(member(block, 'exactlyOnce') === true ? { exactlyOnce: true } : {}),
  };
}
