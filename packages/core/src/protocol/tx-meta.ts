/** The block that a request carries under `_meta`: who the operation is, and which send of it this is. */
import { EXTENSION_ID, WIRE_VERSION } from './capability.ts';

/** What a server that speaks MCP-Tx learns about a request. The caller's raw key never travels. */
export interface TxRequestMeta {
  readonly v: number;
  readonly operationId: string;
  /** Absent when fingerprints are off for the tool. */
  readonly fingerprint?: string;
  /** Id of the caller's call. */
  readonly requestId: string;
  /** Number of this send, from 1. */
  readonly attempt: number;
  /** Id of this send, unique for ever. */
  readonly attemptId: string;
  /** Time that is left for the whole call, in ms, when this was sent. A duration, so that clocks need not agree. */
  readonly remainingMs: number;
}

/** `_meta` of a request: ours beside whatever the caller gave (progress token, trace context, …). */
export function withRequestMeta(
  callerMeta: Readonly<Record<string, unknown>> | undefined,
  meta: Omit<TxRequestMeta, 'v'>,
): Record<string, unknown> {
  return { ...callerMeta, [EXTENSION_ID]: { v: WIRE_VERSION, ...meta } };
}

/** Reads the block from a request's `_meta`; `undefined` when there is none that makes sense. */
export function readRequestMeta(meta: unknown): TxRequestMeta | undefined {
  const block = member(meta, EXTENSION_ID);
  if (typeof block !== 'object' || block === null) return undefined;
  const { v, operationId, requestId, attempt, attemptId, remainingMs, fingerprint } = block as Record<string, unknown>;
  if (typeof operationId !== 'string' || operationId === '') return undefined;
  return {
    v: typeof v === 'number' ? v : WIRE_VERSION,
    operationId,
    requestId: typeof requestId === 'string' ? requestId : '',
    attempt: typeof attempt === 'number' && attempt >= 1 ? attempt : 1,
    attemptId: typeof attemptId === 'string' ? attemptId : '',
    remainingMs: typeof remainingMs === 'number' ? remainingMs : Number.POSITIVE_INFINITY,
    ...(typeof fingerprint === 'string' ? { fingerprint } : {}),
  };
}

/** Own member of an object, or `undefined`: safe on anything a peer may send. */
export function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
