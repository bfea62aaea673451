// What travels between a process and the tool server.
import type { Observation, SendRequest } from '@mcp-tx/core';
import type { EndSeen, ToolName } from './history.ts';

/** One send on its way. */
export interface Message {
  readonly id: number;
  readonly op: string;
  readonly intent: string;
  readonly tool: ToolName;
  readonly variant: number;
  readonly operationId: string;
  readonly fingerprint: string | undefined;
  /** What the tool's key argument was filled with. */
  readonly toolKey: string | undefined;
  /** The process has told the server that nobody wants the answer. */
  isCancelled: boolean;
  /** What stands in front of the tool has let it pass. The network doubles behind that, so a copy passes, too. */
  hasPassed: boolean;
  /** It was turned away, and so is a copy of it. */
  isRefused: boolean;
}

/** How a send ends for its process, and what that proves to anybody who looks. */
export interface WireEnd {
  readonly seen: Partial<Observation>;
  readonly proves: EndSeen['proves'];
  readonly says: string;
}

/** A connection that broke before the answer came. */
export const LOST: WireEnd = { seen: { lost: true }, proves: 'nothing', says: 'the connection broke' };

/** No byte left. */
export const REFUSED: WireEnd = {
  seen: {
    dispatched: false,
    thrown: { name: 'TypeError', message: 'fetch failed', causeCode: 'ECONNREFUSED' },
  },
  proves: 'nothing-ran',
  says: 'the connection was refused',
};

/** A result frame. */
export function resultEnd(text: string, more: object = {}): WireEnd {
  const result = { content: [{ type: 'text', text }], ...more };
  return { seen: { frame: 'result', result, rawResult: result }, proves: 'result', says: text };
}

/** An HTTP status of the send's own POST. */
export function statusEnd(status: number, proves: EndSeen['proves'], more: Partial<Observation> = {}): WireEnd {
  return { seen: { status, ...more }, proves, says: `HTTP ${status}` };
}

/** A JSON-RPC error frame. */
export function errorEnd(code: number, message: string, proves: EndSeen['proves'], data?: object): WireEnd {
  const errorFrame = data === undefined ? { code, message } : { code, message, data };
  return { seen: { frame: 'error', errorFrame }, proves, says: `error ${code}: ${message}` };
}

/** Reads a request. */
export function messageOf(id: number, request: SendRequest): Message {
  const {
    intent,
    variant,
    idempotency_key: toolKey,
  } = request.arguments as {
    readonly intent: string;
    readonly variant: number;
    readonly idempotency_key?: string;
  };
  return {
    id,
    op: (request.meta?.op as string | undefined) ?? intent,
    intent,
    tool: request.tool as ToolName,
    variant,
    operationId: request.identity.operationId,
    fingerprint: request.identity.fingerprint,
    toolKey,
    isCancelled: false,
    hasPassed: false,
    isRefused: false,
  };
}
