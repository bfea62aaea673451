/** Builds what goes back: a result with its acknowledgement, or an error with the refusal (NACK). */
import { EXTENSION_ID, WIRE_VERSION } from '@mcp-tx/core/protocol';
import { member } from './member.ts';
import type { WireCall } from './wire-call.ts';

/**
 * Why a request was not given a result. `conflict`: the operation is another call. `in-progress`: it runs, elsewhere.
 * `in-doubt`: it may have run. `expired`: it ended, and how is forgotten. `not-executed`: it
 * was in doubt, and somebody found that it never ran; or its transaction was rolled back. `unknown-tool`, `invalid`, `unsupported-version`,
 * `forbidden`: refused before anything ran.
 */
export type RefusalReason =
  | 'conflict'
  | 'in-progress'
  | 'in-doubt'
  | 'expired'
  | 'unknown-tool'
  | 'not-executed'
  | 'invalid'
  | 'unsupported-version'
  | 'forbidden';

/** A refusal, and what else is known. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** For people. */
  readonly says: string;
  /** When asking again makes sense, ms from now. */
  readonly retryAfterMs?: number;
  /** Id of the task that goes on. */
  readonly taskId?: string;
  /** The tool's own JSON-RPC error, where that is what was answered first. */
  readonly error?: { readonly code: number; readonly data?: unknown };
}

/** How a request ends. */
export type End =
  | {
      readonly kind: 'result';
      /** JSON text of the result, without our block. */
      readonly text: string;
      /** When it was stored, epoch ms; absent when it was not. */
      readonly storedAt?: number;
      /** Committed together with the tool's effect. */
      readonly exactlyOnce?: boolean;
    }
  /** A result that ends nothing: a task, a request for input. It carries no acknowledgement. */
  | { readonly kind: 'interim'; readonly text: string }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  /** What the tool threw, to be passed on as it is. */
  | { readonly kind: 'error'; readonly error: unknown };

/** `processed: false` is a promise: no request of this operation has run, or will run, what this request asks for. */
const PROCESSED: Readonly<Record<RefusalReason, boolean>> = {
  conflict: false,
  'in-progress': true,
  'in-doubt': true,
  expired: true,
  'unknown-tool': false,
  'not-executed': false,
  invalid: false,
  'unsupported-version': false,
  forbidden: false,
};
/** Both codes are JSON-RPC's own: peers that do not speak MCP-Tx know them, and -32603 promises nothing. */
const INVALID_PARAMS = -32_602;
const INTERNAL_ERROR = -32_603;

/** The result to return. Each answer is a fresh parse of the one stored text. */
export function resultOf(end: Extract<End, { kind: 'result' }>, call: WireCall, duplicate: boolean): object {
  const result = JSON.parse(end.text) as Record<string, unknown>;
  const { operationId, requestId, attempt } = call;
  const stored = end.storedAt === undefined ? {} : { storedAt: end.storedAt };
  const once = end.exactlyOnce === true ? { exactlyOnce: true } : {};
  const who = { operationId, requestId, attempt };
  const block = { v: WIRE_VERSION, ack: true, processed: true, duplicate, ...who, ...stored, ...once };
  const meta = member(result, '_meta');
  return { ...result, _meta: { ...(typeof meta === 'object' ? meta : {}), [EXTENSION_ID]: block } };
}

/** The error to throw: SDKs make a JSON-RPC error of its `code`, `message` and `data`. `call`: as far as it is known. */
export function errorOf(refusal: Refusal, call: Partial<WireCall>): Error {
  const { reason, says, retryAfterMs, taskId, error } = refusal;
  const { operationId, requestId, attempt } = call;
  const processed = PROCESSED[reason];
  const block = {
    ...{ v: WIRE_VERSION, ack: false, processed, reason, operationId, requestId, attempt },
    ...{ retryAfterMs, taskId },
  };
  const data = { ...(typeof error?.data === 'object' ? error.data : {}), [EXTENSION_ID]: withoutGaps(block) };
  const code = error?.code ?? (processed ? INTERNAL_ERROR : INVALID_PARAMS);
  return Object.assign(new Error(says), { code, data });
}

/** Nothing is known, not even whether the operation ran earlier: an error without our block, which says just that. */
export function silentError(says: string, cause: unknown): Error {
  return Object.assign(new Error(says, { cause }), { code: INTERNAL_ERROR });
}

/** JSON text of a result without our block: what is stored is never an earlier answer's acknowledgement. */
export function textOf(result: object): string {
  const meta = member(result, '_meta');
  if (member(meta, EXTENSION_ID) === undefined) return JSON.stringify(result);
  const { [EXTENSION_ID]: _, ...others } = meta as Readonly<Record<string, unknown>>;
  return JSON.stringify({ ...result, _meta: others });
}

function withoutGaps(block: object): object {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
}
