/** What a user may say about calls: for a server, for one of its tools, for one call. Later ones win. */
import type { DeliveryMode, ToolResult } from '../outcome/call-result.ts';
import type { AbortSource } from '../runtime/abort-source.ts';
import type { Backoff } from './backoff.ts';

/** How often and how slowly to send again. */
export interface RetrySettings extends Backoff {
  /** Sends allowed to one call, the first included. Default 3. */
  readonly maxAttempts: number;
}

/** What a probe is told. */
export interface ProbeOperation {
  readonly operationId: string;
  readonly tool: string;
  readonly scope: string;
  readonly idempotencyKey?: string;
  /** The call's arguments; after a restart only with `storeArguments`. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly sentAt?: number;
  readonly attempts: number;
}

/** What a probe may use. */
export interface ProbeContext {
  /** Calls a tool of the same server, as a read: no key, no probe of its own, sent again on trouble. */
  callTool(tool: string, args?: Readonly<Record<string, unknown>>): Promise<ToolResult>;
  readonly signal: AbortSignal;
}

/** What a probe found. `absent` counts only once the send can no longer take effect; until then it is taken for `unknown`. */
export type ProbeVerdict =
  | {
      readonly verdict: 'completed' /** A `CallToolResult`: what callers of this operation shall get. */;
      readonly result: object;
    }
  | { readonly verdict: 'absent' }
  | { readonly verdict: 'unknown' };

/** Looks whether an operation happened. */
export type Probe = (operation: ProbeOperation, context: ProbeContext) => Promise<ProbeVerdict> | ProbeVerdict;

/** What may be said for one tool. */
export interface ToolRule {
  /** The tool changes nothing, so it may be sent again at will. */
  readonly readOnly?: boolean;
  /** Running it twice is the same as once. */
  readonly idempotent?: boolean;
  /** JSON pointer to an argument that we fill with the operation id, by which the tool recognises repeats. */
  readonly idempotencyArgument?: string;
  readonly delivery?: DeliveryMode;
  readonly timeoutMs?: number;
  readonly attemptTimeoutMs?: number;
  readonly retry?: Partial<RetrySettings>;
  /** What the caller's abort does to a send under way. Default `detach` for unsafe tools, `cancel` for declared safe ones. */
  readonly onAbort?: 'detach' | 'cancel';
  /** `off`: a reused key is not noticed; every result says so. */
  readonly fingerprint?: 'on' | 'off';
  /** Keep the arguments in the ledger, so that probes and sweeps after a restart have them. */
  readonly storeArguments?: boolean;
  readonly probe?: Probe;
}

/** What may be said for one call. */
export interface CallOptions {
  /** The caller's name for the intent: the same key gives the same operation, whoever asks. */
  readonly idempotencyKey?: string;
  /** The tenant or principal. Default: the instance's. */
  readonly scope?: string;
  /** Total deadline, ms. */
  readonly timeoutMs?: number;
  /** The deadline is no later than this, whatever it would be otherwise, ms: what is left to whoever waits for the call. */
  readonly maxTimeoutMs?: number;
  /** Longest silence of one send before the next send, ms: an answer ends it, and progress starts it anew. */
  readonly attemptTimeoutMs?: number;
  readonly retry?: Partial<RetrySettings>;
  readonly delivery?: DeliveryMode;
  readonly signal?: AbortSource;
  readonly onAbort?: 'detach' | 'cancel';
  /** Hears the server's progress on the latest send of the operation, also when another caller's send it is. What it throws is reported as `hook.failed`. */
  readonly onProgress?: (progress: Progress) => void;
  /** Passed through under the request's `_meta`: trace context and the like. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** What to do while another process drives the operation. Default `wait`. */
  readonly ifBusy?: 'wait' | 'fail';
  /** Repeats a quarantined call knowingly: the operation it repeats. */
  readonly repeatOf?: string;
  readonly storeArguments?: boolean;
}

/** The total deadline of a call, ms. */
export function timeoutOfCall(
  { timeoutMs, maxTimeoutMs = Number.POSITIVE_INFINITY }: CallOptions,
  rule: ToolRule | undefined,
  defaults: Pick<CallDefaults, 'timeoutMs'>,
): number {
  return Math.min(timeoutMs ?? rule?.timeoutMs ?? defaults.timeoutMs, maxTimeoutMs);
}

/** A progress notification. */
export interface Progress {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

/** The server's defaults, complete. */
export interface CallDefaults {
  readonly scope: string;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs?: number;
  readonly retry: RetrySettings;
  /** Mode of tools about which nothing is known. */
  readonly delivery: DeliveryMode;
  readonly settleGraceMs: number;
  readonly quietMs: number;
  readonly leaseMs: number;
  readonly safetyMarginMs: number;
  readonly retentionMs: number;
  readonly storeArguments: boolean;
  readonly maxArgumentDepth: number;
  readonly maxArgumentLength: number;
  readonly maxResultLength: number;
  readonly quarantineMs: number;
  readonly readOnlyWithoutLedger: boolean;
}
