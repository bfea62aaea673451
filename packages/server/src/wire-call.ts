/** Reads from a `tools/call` request which operation it belongs to, in each of the forms that clients write. */
import { EXTENSION_ID, readRequestMeta, WIRE_VERSION } from '@mcp-tx/core/protocol';
import type { Refusal } from './answer.ts';
import { member } from './member.ts';

/** A request that names its operation. */
export interface WireCall {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The client's name for the operation. Only as unique as the client makes it. */
  readonly operationId: string;
  readonly requestId: string;
  /** Number of this send, from 1. */
  readonly attempt: number;
  /** Time that the client had left when it sent this, ms; infinite when it did not say. */
  readonly remainingMs: number;
}

/** What a request asks for: nothing of ours, an operation, or something that must not be mistaken for either. */
export type Reading =
  | { readonly kind: 'plain' }
  | { readonly kind: 'call'; readonly call: WireCall }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Longest `requestId`, code units. */
const MAX_REQUEST_ID = 255;
/** Key of the Python original's block under `_meta`. */
const PYTHON_BLOCK = 'mcp_tx';
/** The key that several independent projects write. */
const PLAIN_KEY = 'idempotencyKey';

/**
 * Reads a request. Metadata that is there and makes no sense is refused, not ignored: who sent it relies on it. Our own block
 * goes before the Python original's, and that before a bare `idempotencyKey`.
 */
export function readCall(request: unknown): Reading {
  const params = member(request, 'params');
  const meta = member(params, '_meta');
  const tool = member(params, 'name');
  const args = member(params, 'arguments') ?? {};
  if (typeof tool !== 'string' || typeof args !== 'object') return { kind: 'plain' }; // the SDK has words for that
  const identity = readOwn(meta) ?? readPython(meta) ?? readPlainKey(meta);
  if (identity === undefined) return { kind: 'plain' };
  if ('reason' in identity) return { kind: 'refused', refusal: identity };
  return { kind: 'call', call: { tool, arguments: args as Readonly<Record<string, unknown>>, ...identity } };
}

type Identity = Omit<WireCall, 'tool' | 'arguments'>;

function readOwn(meta: unknown): Identity | Refusal | undefined {
  if (member(meta, EXTENSION_ID) === undefined) return undefined;
  const block = readRequestMeta(meta);
  if (block === undefined) return { reason: 'invalid', says: `_meta["${EXTENSION_ID}"] names no operation` };
  if (block.v !== WIRE_VERSION) {
    return { reason: 'unsupported-version', says: `this server speaks version ${WIRE_VERSION}, not ${block.v}` };
  }
  const { operationId, requestId, attempt, remainingMs } = block;
  return { operationId, requestId: echoed(requestId), attempt, remainingMs };
}

/** The client's name of its call is stored and echoed, so it may be no longer than the other names. */
function echoed(requestId: unknown): string {
  return typeof requestId === 'string' && requestId.length <= MAX_REQUEST_ID ? requestId : '';
}

function readPython(meta: unknown): Identity | Refusal | undefined {
  const block = member(meta, PYTHON_BLOCK);
  const key = member(block, 'idempotency_key');
  if (key === undefined || key === null) return undefined;
  if (typeof key !== 'string')
    return { reason: 'invalid', says: `_meta.${PYTHON_BLOCK}.idempotency_key is not a text` };
  const requestId = member(block, 'request_id');
  const retries = member(block, 'retry_count');
  const timeoutMs = member(block, 'timeout_ms');
  return {
    operationId: key,
    requestId: echoed(requestId),
    attempt: typeof retries === 'number' && retries >= 0 ? retries + 1 : 1,
    remainingMs: typeof timeoutMs === 'number' ? timeoutMs : Number.POSITIVE_INFINITY,
  };
}

function readPlainKey(meta: unknown): Identity | Refusal | undefined {
  const key = member(meta, PLAIN_KEY);
  if (key === undefined) return undefined;
  if (typeof key !== 'string') return { reason: 'invalid', says: `_meta.${PLAIN_KEY} is not a text` };
  return { operationId: key, requestId: '', attempt: 1, remainingMs: Number.POSITIVE_INFINITY };
}
