/** The object users hold: it makes servers recognise repeats of tool calls, without touching their tools. */
import { argumentsText, checkKey, fingerprintOf, identify, isMcpTxError, McpTxError } from '@mcp-tx/core/ledger';
import { STATUS_METHOD } from '@mcp-tx/core/protocol';
import type { End, Refusal } from './answer.ts';
import { errorOf, resultOf } from './answer.ts';
import type { CallTransaction } from './call-transaction.ts';
import { callerOf } from './caller.ts';
import { viewCancellation } from './cancellation.ts';
import type { CurrentCall } from './current-call.ts';
import { runFor } from './current-call.ts';
import type { Hook } from './hook.ts';
import { hookInto } from './hook.ts';
import type { Admitted } from './operation-desk.ts';
import { OperationDesk } from './operation-desk.ts';
import type { ServerTxOptions, Settings } from './options.ts';
import { completeOptions } from './options.ts';
import type { RequestHandler, ToolEnd } from './run-tool.ts';
import { runTool } from './run-tool.ts';
import { statusHandler } from './status.ts';
import type { WireCall } from './wire-call.ts';
import { readCall } from './wire-call.ts';

/** What the servers of one process share. */
export interface ServerTx extends AsyncDisposable {
  /**
   * Wraps one server, before it is connected; where every session has a server of its own, each of them. Returns the same
   * server.
   *
   * @throws McpTxError `CONFIG_INVALID` when it is connected or wrapped already, or no server of a known SDK.
   */
  wrap<S extends object>(server: S): S;
  /**
   * Takes no more recorded calls, and waits for those under way, however long their tools take. Records that could not be
   * written yet get one more try. The ledger stays open.
   */
  close(): Promise<void>;
}

/**
 * Makes a server recognise repeats of tool calls: the first request of an operation runs the tool, every later one gets the
 * same result. Calls that name no operation are untouched, and so are the tools. Returns the same server.
 *
 * @throws McpTxError `CONFIG_INVALID` when an option is wrong, or the server is connected or wrapped already.
 */
export function withMcpTx<S extends object>(server: S, options: ServerTxOptions): S {
  return createServerTx(options).wrap(server);
}

/**
 * The same for a process with many servers, for example one per HTTP session: their repeats meet, and `close` waits for all.
 *
 * @throws McpTxError `CONFIG_INVALID`
 */
export function createServerTx(options: ServerTxOptions): ServerTx {
  const settings = completeOptions(options);
  const desk = new OperationDesk(settings);
  const close = (): Promise<void> => desk.close();
  return {
    wrap(server) {
      const hook = hookInto(server);
      hook.announce({ retentionMs: settings.retentionMs });
      hook.wrapToolCalls((handler) => new ToolCalls(settings, desk, hook, handler).handle);
      hook.handle(STATUS_METHOD, statusHandler(settings));
      return server;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Stands before the `tools/call` handler of one server. */
class ToolCalls {
  readonly #settings: Settings;
  readonly #desk: OperationDesk;
  readonly #hook: Hook;
  readonly #inner: RequestHandler;

  constructor(settings: Settings, desk: OperationDesk, hook: Hook, inner: RequestHandler) {
    this.#settings = settings;
    this.#desk = desk;
    this.#hook = hook;
    this.#inner = inner;
  }

  readonly handle: RequestHandler = (request, context) => {
    const reading = readCall(request);
    if (reading.kind === 'plain') return this.#inner(request, context);
    if (reading.kind === 'refused') throw errorOf(reading.refusal, {});
    return this.#answer(reading.call, request, context);
  };

  async #answer(call: WireCall, request: unknown, context: unknown): Promise<unknown> {
    const receivedAt = this.#settings.clock.monotonic();
    const admitted = await this.#admit(call, context);
    if ('reason' in admitted) throw errorOf(admitted, call);
    const { end, duplicate } = await this.#desk.handle(admitted, (transaction) =>
      this.#run(admitted, { ...call, receivedAt, transaction }, request, context),
    );
    return answerOf(end, call, duplicate);
  }

  /** Everything that can be refused without asking the ledger. */
  async #admit(call: WireCall, context: unknown): Promise<Admitted | Refusal> {
    const { name, maxArgumentDepth, maxArgumentLength } = this.#settings;
    const { operationId, tool, requestId, remainingMs } = call;
    const scope = await callerOf(this.#settings, context);
    if (scope === undefined) return { reason: 'forbidden', says: 'this server cannot tell whose operation this is' };
    try {
      checkKey(operationId);
      const limits = { maxDepth: maxArgumentDepth, maxLength: maxArgumentLength };
      const fingerprint = fingerprintOf(tool, argumentsText(call.arguments, limits));
      const { operationId: recordId, digest } = identify(scope, name, operationId);
      return { recordId, digest, scope, operationId, tool, fingerprint, requestId, remainingMs };
    } catch (error) {
      if (isMcpTxError(error)) return { reason: 'invalid', says: error.message };
      throw error;
    }
  }

  async #run(admitted: Admitted, call: RunningCall, request: unknown, context: unknown): Promise<ToolEnd> {
    const { tool } = call;
    if (this.#hook.knowsTool(tool) === false) return unknownTool(tool);
    const { clock, onCancel } = this.#settings;
    const { recordId, operationId, fingerprint, scope } = admitted;
    const { requestId, attempt, remainingMs, receivedAt, transaction } = call;
    const current: CurrentCall = {
      ...{ idempotencyKey: recordId, operationId, fingerprint, scope, tool, requestId, attempt },
      transaction: (work) => transaction?.run(work) ?? Promise.reject(notTransactional(tool)),
      remainingMs: () => Math.max(0, receivedAt + remainingMs - clock.monotonic()),
    };
    return runFor(current, () => runTool(this.#inner, request, viewCancellation(context, onCancel)));
  }
}

/** A call with what its run needs. */
interface RunningCall extends WireCall {
  readonly receivedAt: number;
  readonly transaction: CallTransaction | undefined;
}

function notTransactional(tool: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `name ${tool} in the option transactional of withMcpTx; nothing was written`);
}

function answerOf(end: End, call: WireCall, duplicate: boolean): object {
  if (end.kind === 'refusal') throw errorOf(end.refusal, call);
  if (end.kind === 'error') throw end.error;
  if (end.kind === 'interim') return JSON.parse(end.text) as object;
  return resultOf(end, call, duplicate);
}

/** Kept like a result: a late repeat must not run a tool that was added meanwhile. */
function unknownTool(tool: string): ToolEnd {
  const says = `there is no tool ${tool}`;
  const outcome = { state: 'failed', error: { code: 'TOOL_NOT_FOUND', message: says } } as const;
  return { outcome, answer: { kind: 'refusal', refusal: { reason: 'unknown-tool', says } } };
}
