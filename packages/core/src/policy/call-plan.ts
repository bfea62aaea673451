/** Makes one frozen plan of a call: server defaults, under the tool's rule, under the call's own options. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { AbortSource } from '../runtime/abort-source.ts';
import type { Random } from '../runtime/random.ts';
import { argumentsLength, argumentsText, checkKey, fingerprintOf, identify } from './identity.ts';
import { fillPointer } from './json-pointer.ts';
import type { CallDefaults, CallOptions, Probe, Progress, RetrySettings, ToolRule } from './settings.ts';
import { timeoutOfCall } from './settings.ts';
import type { ServerStanding, ToolHints } from './tool-safety.ts';
import { canBeEffectivelyOnce, stricter, toolSafety } from './tool-safety.ts';

/** Everything that is decided about a call before anything happens. */
export interface CallPlan {
  readonly tool: string;
  /** What is sent: a copy of the caller's arguments as they were, with the key argument filled in. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Canonical text of the caller's own arguments; absent where nothing is recorded. */
  readonly argumentsText: string | undefined;
  /** Length of that text, at least. */
  readonly argumentsLength: number;
  readonly storeArguments: boolean;
  readonly serverName: string;
  readonly scope: string;
  readonly idempotencyKey: string | undefined;
  readonly operationId: string;
  readonly digest: string;
  /** Absent when off, and for calls that no ledger records. */
  readonly fingerprint: string | undefined;
  readonly requestId: string;
  readonly mode: DeliveryMode;
  /** The tool has an argument by which it recognises repeats, and it is filled. */
  readonly fillsKey: boolean;
  /** Declared safe: sending twice does no harm. */
  readonly safe: boolean;
  /** Declared to change nothing: there is no effect to be in doubt about. */
  readonly readOnly: boolean;
  readonly hintedReadOnly: boolean;
  /** The mode would have to be derived from hints that contradict each other: the call is to be refused. */
  readonly isContradictory: boolean;
  /** The mode holds by the user's word for the whole server: nothing is known of this tool. */
  readonly isByServerDefault: boolean;
  readonly retry: RetrySettings;
  readonly timeoutMs: number;
  /** Longest silence of one send before the next; for at-most-once, before the probe is asked. Progress starts it anew. */
  readonly attemptTimeoutMs: number;
  readonly onAbort: 'detach' | 'cancel';
  readonly ifBusy: 'wait' | 'fail';
  readonly repeatOf: string | undefined;
  readonly probe: Probe | undefined;
  readonly signal: AbortSource | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly meta: Readonly<Record<string, unknown>> | undefined;
  readonly defaults: CallDefaults;
}

/** What the plan is made from. */
export interface PlanInput {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>> | undefined;
  readonly options: CallOptions;
  readonly rule: ToolRule | undefined;
  readonly hints: ToolHints | undefined;
  readonly serverName: string;
  readonly server: ServerStanding;
  readonly defaults: CallDefaults;
  /** `false`: no ledger, so nothing is fingerprinted and keys are refused. */
  readonly recorded: boolean;
  /** A stored call that is driven again: its identity and its caller's mode stay. */
  readonly resumes?: { readonly operationId: string; readonly digest: string; readonly mode: DeliveryMode } | undefined;
}

/** @throws McpTxError `CALL_INVALID`, `KEY_INVALID`, `ARGUMENTS_INVALID` */
export function buildCallPlan(input: PlanInput, random: Random): CallPlan {
  const { tool, rule, options, defaults, server } = input;
  const args = input.arguments ?? {};
  const limits = { maxDepth: defaults.maxArgumentDepth, maxLength: defaults.maxArgumentLength };
  const key = options.idempotencyKey;
  const storeArguments = options.storeArguments ?? rule?.storeArguments ?? defaults.storeArguments;
  const isCompared = rule?.fingerprint !== 'off' && (key !== undefined || defaults.quarantineMs > 0);
  const text = input.recorded && (isCompared || storeArguments) ? argumentsText(args, limits) : undefined;
  if (key !== undefined) checkKey(key);
  if (key !== undefined && !input.recorded)
    throw invalid('an idempotency key needs a ledger, and this instance has `ledger: false`');
  const scope = options.scope ?? defaults.scope;
  const length = text === undefined ? argumentsLength(args, limits) : text.length;
  const freshId = random.id();
  const identity =
    input.resumes ??
    (key === undefined ? { operationId: `op_${freshId}`, digest: '' } : identify(scope, input.serverName, key));
  const safety = toolSafety(rule, input.hints, server);
  const asked = options.delivery ?? safety.mode;
  const mode = input.resumes === undefined ? asked : stricter(asked, input.resumes.mode);
  if (mode === 'effectively-once' && !canBeEffectivelyOnce(rule, server)) {
    throw invalid(
      `delivery 'effectively-once' needs a server that speaks MCP-Tx, or idempotencyArgument in the rule of ${tool}`,
    );
  }
  const timeoutMs = timeoutOfCall(options, rule, defaults);
  return {
    tool,
    arguments:
      rule?.idempotencyArgument === undefined
        ? copyOf(args, text)
        : fillPointer(copyOf(args, text), rule.idempotencyArgument, identity.operationId),
    argumentsText: text,
    argumentsLength: length,
    storeArguments,
    serverName: input.serverName,
    scope,
    idempotencyKey: key,
    operationId: identity.operationId,
    digest: identity.digest,
    fingerprint: text !== undefined && isCompared ? fingerprintOf(tool, text) : undefined,
    requestId: `req_${freshId}`,
    mode,
    fillsKey: rule?.idempotencyArgument !== undefined,
    safe: safety.safe,
    readOnly: safety.readOnly,
    hintedReadOnly: safety.hintedReadOnly,
    isContradictory: safety.isContradictory && options.delivery === undefined,
    isByServerDefault: safety.isByDefault && options.delivery === undefined && mode !== 'at-most-once',
    retry: mergeRetry(defaults.retry, rule?.retry, options.retry),
    timeoutMs,
    attemptTimeoutMs: attemptTimeout(input, mode, timeoutMs),
    onAbort: options.onAbort ?? rule?.onAbort ?? (safety.safe ? 'cancel' : 'detach'),
    ifBusy: options.ifBusy ?? 'wait',
    repeatOf: options.repeatOf,
    probe: rule?.probe,
    signal: options.signal,
    onProgress: options.onProgress,
    meta: options.meta,
    defaults,
  };
}

/** A copy that nobody else holds: what is sent, now or later, is what was asked for. `text` is its canonical form, if there is one. */
function copyOf(args: Readonly<Record<string, unknown>>, text: string | undefined): Readonly<Record<string, unknown>> {
  for (const key in args) {
    if (typeof args[key] === 'object' && args[key] !== null)
      return JSON.parse(text ?? JSON.stringify(args)) as Record<string, unknown>;
  }
  return { ...args };
}

function attemptTimeout({ options, rule, defaults }: PlanInput, mode: DeliveryMode, timeoutMs: number): number {
  const said = options.attemptTimeoutMs ?? rule?.attemptTimeoutMs ?? defaults.attemptTimeoutMs;
  if (said !== undefined) return Math.min(said, timeoutMs);
  return mode === 'at-most-once' ? timeoutMs : timeoutMs / 2;
}

function mergeRetry(
  base: RetrySettings,
  rule: Partial<RetrySettings> | undefined,
  call: Partial<RetrySettings> | undefined,
): RetrySettings {
  return rule === undefined && call === undefined ? base : { ...base, ...rule, ...call };
}

function invalid(message: string): McpTxError {
  return new McpTxError('CALL_INVALID', message);
}
