/** Local tools that are made of calls to the server's: compositions, with no record of their own. */
import type { CallMeta, Guarantee, McpTxResult, ToolResult } from '../outcome/call-result.ts';
import { toToolResult } from '../outcome/call-result.ts';
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import type { CallOptions } from '../policy/settings.ts';
import { timeoutOfCall } from '../policy/settings.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { withSignal } from './with-signal.ts';

/** What zod, valibot, arktype and others have in common (Standard Schema, version 1). */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly output: Output } | undefined;
  };
}

/** What a Standard Schema answers: a value, or what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** How a local tool is declared. */
export interface LocalToolDefinition<Input> {
  readonly description?: string;
  readonly inputSchema: StandardSchema<Input>;
}

/** What a local tool may use. */
export interface LocalToolContext {
  /** Calls a tool of the server. Key, scope, deadline and signal come from the outer call. */
  callTool(tool: string, args?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<McpTxResult>;
  readonly signal: AbortSignal | undefined;
}

/** The body of a local tool. What it returns becomes the result: a `CallToolResult`, an inner call's answer, or plain data. */
export type LocalToolHandler<Input> = (input: Input, context: LocalToolContext) => Promise<unknown> | unknown;

/** A registered tool with its input type forgotten. */
export interface LocalTool {
  readonly name: string;
  readonly inputSchema: StandardSchema<unknown>;
  readonly handler: LocalToolHandler<never>;
}

/** @throws McpTxError `CONFIG_INVALID` for a tool without a name or a Standard Schema */
export function toLocalTool<Input>(
  name: string,
  definition: LocalToolDefinition<Input>,
  handler: LocalToolHandler<Input>,
): LocalTool {
  if (typeof name !== 'string' || name === '') throw new McpTxError('CONFIG_INVALID', 'a local tool needs a name');
  if (typeof definition?.inputSchema?.['~standard']?.validate !== 'function') {
    const message = `the inputSchema of ${name} must be a Standard Schema: zod, valibot, arktype, …`;
    throw new McpTxError('CONFIG_INVALID', message);
  }
  return { name, inputSchema: definition.inputSchema, handler: handler as LocalToolHandler<never> };
}

/** What the composition needs of its instance. */
export interface Composer {
  readonly clock: Clock;
  readonly defaultTimeoutMs: number;
  readonly requestId: () => string;
  callTool(
    tool: string,
    args: Readonly<Record<string, unknown>> | undefined,
    options: CallOptions,
  ): Promise<McpTxResult>;
}

/**
 * Runs a local tool. The inner calls' keys are `${key}/${tool}/${ordinal}`; their attempts are summed.
 *
 * @throws McpTxError `ARGUMENTS_INVALID`, whatever an inner call throws, `INTERNAL` for what the handler throws
 */
export async function runLocalTool(
  tool: LocalTool,
  args: unknown,
  options: CallOptions,
  composer: Composer,
): Promise<McpTxResult> {
  const startedAt = composer.clock.monotonic();
  const input = await checkInput(tool, args);
  const inner: CallMeta[] = [];
  const timeoutMs = timeoutOfCall(options, undefined, { timeoutMs: composer.defaultTimeoutMs });
  const context: Omit<LocalToolContext, 'signal'> = {
    async callTool(name, innerArgs, more = {}) {
      const leftMs = timeoutMs - (composer.clock.monotonic() - startedAt);
      if (leftMs <= 0)
        throw new McpTxError('DEADLINE_EXCEEDED', `the deadline of ${tool.name} passed before ${name} was called`);
      const ordinal = inner.length + 1;
      const key =
        options.idempotencyKey === undefined ? {} : { idempotencyKey: `${options.idempotencyKey}/${name}/${ordinal}` };
      const place = inner.push(PENDING) - 1;
      try {
        const answer = await composer.callTool(name, innerArgs, {
          ...inherited(options),
          ...key,
          ...more,
          timeoutMs: Math.min(more.timeoutMs ?? leftMs, leftMs),
        });
        inner[place] = answer.meta;
        return answer;
      } catch (error) {
        if (isMcpTxError(error) && error.meta !== undefined) inner[place] = error.meta;
        throw error;
      }
    },
  };
  const handle = async (signal?: AbortSignal): Promise<unknown> => tool.handler(input as never, { ...context, signal });
  try {
    const leftMs = Math.max(1, timeoutMs - (composer.clock.monotonic() - startedAt));
    const handling = options.signal === undefined ? handle() : withSignal(options.signal, handle);
    const returned = await withinDeadline(composer.clock, leftMs, handling, tool.name);
    return { result: toResult(returned), meta: summed(composer, inner, startedAt) };
  } catch (error) {
    const meta = summed(composer, inner, startedAt);
    if (!isMcpTxError(error)) throw handlerFailed(tool, error, meta);
    throw error.execution === 'none' && meta.execution !== 'none' ? halfDone(tool, error, meta, options) : error;
  }
}

/** The handler's end, or the deadline. */
async function withinDeadline(
  clock: Clock,
  leftMs: number,
  handling: Promise<unknown>,
  name: string,
): Promise<unknown> {
  let timer: Timer | undefined;
  const late = new Promise((_resolve, reject) => {
    const expire = (): void => reject(new McpTxError('DEADLINE_EXCEEDED', `${name} did not end in time`));
    timer = clock.timer(leftMs, () => {
      timer = clock.timer(0, expire); // an inner call with the same deadline may say more
    });
  });
  try {
    return await Promise.race([handling, late]);
  } finally {
    timer?.cancel();
  }
}

/** Some inner calls have run, or may have, and then one did not. Repeating is safe only by a key: then what ran is replayed. */
function halfDone(tool: LocalTool, error: McpTxError, meta: CallMeta, options: CallOptions): McpTxError {
  const retryable = error.retryable && options.idempotencyKey !== undefined;
  const details = { execution: meta.execution, retryable, meta, cause: error };
  return new McpTxError(error.code, `${tool.name} was done in part: ${error.message}`, details);
}

/** Stands for an inner call that has not ended: it may have run. */
const PENDING: CallMeta = {
  ack: false,
  processed: false,
  duplicate: false,
  attempts: 0,
  requestId: '',
  operationId: '',
  guarantee: 'at-most-once',
  dedupeScope: 'call',
  durability: 'none',
  execution: 'unknown',
  recorded: false,
  fingerprinted: false,
  durationMs: 0,
};

async function checkInput(tool: LocalTool, args: unknown): Promise<unknown> {
  const checked = await tool.inputSchema['~standard'].validate(args ?? {});
  if (checked.issues === undefined) return checked.value;
  const [issue] = checked.issues;
  const path = (issue?.path ?? []).map((step) =>
    String(typeof step === 'object' && step !== null ? (step as { key?: unknown }).key : step),
  );
  const where = path.length === 0 ? 'they' : path.join('.');
  throw new McpTxError('ARGUMENTS_INVALID', `${tool.name} refuses these arguments: ${where}: ${issue?.message}`, {
    reason: 'schema',
  });
}

function inherited({ scope, signal, onAbort, meta, onProgress }: CallOptions): CallOptions {
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(signal === undefined ? {} : { signal }),
    ...(onAbort === undefined ? {} : { onAbort }),
    ...(meta === undefined ? {} : { meta }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

function toResult(returned: unknown): ToolResult {
  if (isAnswer(returned)) return returned.result;
  if (isCallToolResult(returned)) return toToolResult({ ...returned });
  const text = typeof returned === 'string' ? returned : JSON.stringify(returned ?? null);
  const structured =
    typeof returned === 'object' && returned !== null && !Array.isArray(returned)
      ? { structuredContent: returned }
      : {};
  return toToolResult({ content: [{ type: 'text', text }], ...structured });
}

function isAnswer(value: unknown): value is McpTxResult {
  return (
    typeof value === 'object' &&
    value !== null &&
    'result' in value &&
    'meta' in value &&
    isCallToolResult(value.result)
  );
}

function isCallToolResult(value: unknown): value is ToolResult {
  return typeof value === 'object' && value !== null && Array.isArray((value as ToolResult).content);
}

const WEAKEST: readonly Guarantee[] = ['at-least-once', 'effectively-once', 'at-most-once', 'exactly-once'];

/** One meta for the whole: attempts summed, every promise the weakest of the parts. */
function summed(composer: Composer, inner: readonly CallMeta[], startedAt: number): CallMeta {
  const all = (holds: (meta: CallMeta) => boolean): boolean => inner.length > 0 && inner.every(holds);
  const requestId = composer.requestId();
  const unknown = inner.some((meta) => meta.execution === 'unknown');
  return {
    ack: all((meta) => meta.ack),
    processed: all((meta) => meta.processed),
    duplicate: all((meta) => meta.duplicate),
    attempts: inner.reduce((sum, meta) => sum + meta.attempts, 0),
    requestId,
    operationId: inner.length === 1 ? (inner[0] as CallMeta).operationId : requestId.replace('req_', 'op_'),
    guarantee: WEAKEST.find((mode) => inner.some((meta) => meta.guarantee === mode)) ?? 'at-most-once',
    dedupeScope: all((meta) => meta.dedupeScope === 'store')
      ? 'store'
      : all((meta) => meta.dedupeScope !== 'call')
        ? 'process'
        : 'call',
    ...(inner.some((meta) => meta.guaranteeBy !== undefined) ? { guaranteeBy: 'server-default' } : {}),
    durability: inner[0]?.durability ?? 'none',
    execution: unknown ? 'unknown' : inner.some((meta) => meta.execution === 'done') ? 'done' : 'none',
    recorded: all((meta) => meta.recorded),
    fingerprinted: all((meta) => meta.fingerprinted),
    durationMs: composer.clock.monotonic() - startedAt,
  };
}

function handlerFailed(tool: LocalTool, error: unknown, meta: CallMeta): McpTxError {
  const message = `the handler of ${tool.name} threw: ${error instanceof Error ? error.message : String(error)}`;
  return new McpTxError('INTERNAL', message, { cause: error, execution: meta.execution, meta });
}
