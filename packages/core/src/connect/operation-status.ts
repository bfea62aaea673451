/** Asks a server that speaks MCP-Tx how an operation stands, and takes from its answer only what makes sense. */
import { STATUS_METHOD } from '../protocol/capability.ts';
import { member } from '../protocol/tx-meta.ts';
import type { McpClientLike, RequestOptionsLike } from './mcp-client.ts';
import { shapeFlaw } from './result-shape.ts';
import { ANYTHING } from './task-status.ts';

/**
 * What a server says of an operation. `absent`: its store, which has kept everything for `rememberedMs`, has no effect of it.
 * `not-executed`: it never ran and never will. `unknown`: no answer that helps. `unaware`: such a server cannot be asked.
 */
export type OperationStatus =
  | { readonly state: 'completed'; readonly result: object; readonly exactlyOnce?: true }
  | { readonly state: 'absent'; readonly rememberedMs: number }
  | { readonly state: 'not-executed' | 'in-progress' | 'in-doubt' | 'unknown' | 'unaware' };

type Request = (
  request: { readonly method: string; readonly params: object },
  schema: object,
  options: RequestOptionsLike,
) => Promise<unknown>;

const METHOD_NOT_FOUND = -32_601;
const UNKNOWN: OperationStatus = { state: 'unknown' };

/** How the operation stands. @throws whatever the SDK throws when the server does not answer */
export async function operationStatusOn(
  client: McpClientLike,
  operationId: string,
  options: RequestOptionsLike,
): Promise<OperationStatus> {
  const { request } = client as { readonly request?: Request };
  if (typeof request !== 'function') return { state: 'unaware' };
  try {
    const answer = await request.call(client, { method: STATUS_METHOD, params: { operationId } }, ANYTHING, options);
    return member(answer, 'operationId') === operationId ? readStatus(answer) : UNKNOWN;
  } catch (error) {
    if (member(error, 'code') === METHOD_NOT_FOUND) return { state: 'unaware' };
    throw error;
  }
}

function readStatus(answer: unknown): OperationStatus {
  const state = member(answer, 'state');
  switch (state) {
    case 'completed': {
      const result = member(answer, 'result');
      if (!isResult(result)) return UNKNOWN;
      return { state, result, ...(member(answer, 'exactlyOnce') === true ? { exactlyOnce: true } : {}) };
    }
    case 'unknown': {
      const rememberedMs = member(answer, 'rememberedMs');
      return typeof rememberedMs === 'number' ? { state: 'absent', rememberedMs } : UNKNOWN;
    }
    case 'not-executed':
    case 'in-progress':
    case 'in-doubt':
      return { state };
    default:
      return UNKNOWN;
  }
}

function isResult(result: unknown): result is object {
  if (typeof result !== 'object' || result === null || shapeFlaw(result) !== undefined) return false;
  return Array.isArray(member(result, 'content')) || member(result, 'structuredContent') !== undefined;
}
