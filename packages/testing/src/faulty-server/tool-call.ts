/** Owns the reading of a `tools/call` request: what the faults, the tools and the logs need to know of it. */
import type { CallIdentity } from '../effect-log/call-identity.ts';

/** The extension id under which MCP-Tx metadata travels; a copy, because this server must not depend on what it tests. */
export const RELIABILITY_ID = 'io.github.mcp-tx/reliability';

/** MCP-Tx metadata of a request, as far as a server reads it. */
interface ReliabilityMeta {
  readonly operationId?: string;
  readonly fingerprint?: string;
  readonly requestId?: string;
  readonly attempt?: number;
  readonly attemptId?: string;
  readonly remainingMs?: number;
}

/** One `tools/call` request. */
export interface ToolCall {
  readonly id: string | number;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly reliability: ReliabilityMeta;
  /** W3C trace context of the request's `_meta`. */
  readonly traceparent: string | undefined;
  readonly progressToken: string | number | undefined;
}

/** Reads a JSON-RPC message; `undefined` when it is anything but a `tools/call` request. */
export function toToolCall(message: unknown): ToolCall | undefined {
  const { id, method, params } = asObject(message);
  if (method !== 'tools/call' || (typeof id !== 'string' && typeof id !== 'number')) return undefined;
  const { name, arguments: args, _meta } = asObject(params);
  const meta = asObject(_meta);
  const token = meta.progressToken;
  return {
    id,
    tool: String(name),
    args: asObject(args),
    reliability: asObject(meta[RELIABILITY_ID]) as ReliabilityMeta,
    traceparent: typeof meta.traceparent === 'string' ? meta.traceparent : undefined,
    progressToken: typeof token === 'string' || typeof token === 'number' ? token : undefined,
  };
}

/** Who that call is. */
export function identify({ tool, id, reliability }: ToolCall): CallIdentity {
  const { attemptId, operationId } = reliability;
  return {
    tool,
    jsonRpcId: id,
    ...(attemptId === undefined ? {} : { attemptId }),
    ...(operationId === undefined ? {} : { operationId }),
  };
}

/** The value itself when it is an object, otherwise an empty one. */
export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
