/** The way of a call from the public method to the engine and back: check, plan, execute, answer. */
import type { ServerConnection } from '../connect/server-source.ts';
import type { Answer } from '../engine/answer-caller.ts';
import { answerCaller } from '../engine/answer-caller.ts';
import { executeCall, storedEnd } from '../engine/execute-call.ts';
import type { FlightEnd } from '../engine/flight-end.ts';
import { refused } from '../engine/flight-end.ts';
import type { EnginePorts } from '../engine/ports.ts';
import type { OperationRecord } from '../ledger/record.ts';
import type { CallMeta, McpTxResult } from '../outcome/call-result.ts';
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import { buildCallPlan } from '../policy/call-plan.ts';
import { argumentsText } from '../policy/identity.ts';
import type { CallDefaults, CallOptions, ToolRule } from '../policy/settings.ts';
import { timeoutOfCall } from '../policy/settings.ts';
import type { ServerStanding } from '../policy/tool-safety.ts';
import { checkCall } from './check-options.ts';
import type { McpTxOptions } from './options.ts';
import { resumePlan } from './resume-plan.ts';
import type { ToolCatalog, ToolObjection } from './tool-catalog.ts';
import { unlessLate, withinTime } from './within-time.ts';

type Arguments = Readonly<Record<string, unknown>>;

/** What calls are made with. */
export interface CallKit {
  readonly name: string;
  readonly options: McpTxOptions;
  readonly defaults: CallDefaults;
  readonly ports: EnginePorts;
  readonly connection: ServerConnection;
  readonly catalog: ToolCatalog;
  /** The server is about to be asked for its tools. */
  readonly onFirstUse: () => void;
}

/** Calls to the tools of one server. */
export class Calls {
  readonly #kit: CallKit;
  #standing: ServerStanding;
  #hasWarned = false;

  constructor(kit: CallKit) {
    this.#kit = kit;
    const { delivery } = kit.defaults;
    this.#standing = { trusted: kit.options.trusted ?? false, speaksMcpTx: false, delivery };
    if (delivery === 'at-least-once') this.#warn('delivery.server-default', RUNS_TWICE);
  }

  /** Calls a tool of the server. @throws McpTxError */
  call(tool: string, args: Arguments | undefined, options: CallOptions | undefined): Promise<McpTxResult> {
    const { catalog, ports } = this.#kit;
    const startedAt = ports.clock.monotonic();
    try {
      checkCall(tool, options);
      this.#refuseClosed();
      if (!catalog.isReady(tool)) return this.#callUnlisted(tool, args, options, startedAt);
      return this.#execute(tool, args, options, startedAt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Runs a stored call that was never sent, under its own identity; whether it got so far. @throws McpTxError `TOOL_NOT_ALLOWED` */
  async resume(record: OperationRecord): Promise<boolean> {
    const { catalog, ports } = this.#kit;
    const objection = catalog.objection(record.tool);
    if (objection !== undefined)
      throw new McpTxError('TOOL_NOT_ALLOWED', objection.message, { reason: objection.reason });
    const args = JSON.parse(record.arguments ?? '{}') as Arguments;
    const fresh = this.#plan(record.tool, args, { scope: record.scope }, record);
    const plan = resumePlan(fresh, record, ports.clock.now());
    return (await executeCall(ports, plan, ports.clock.monotonic()).end).kind !== 'refused';
  }

  /** What the user says about a tool. */
  rule(tool: string): ToolRule | undefined {
    const { tools } = this.#kit.options;
    return tools !== undefined && Object.hasOwn(tools, tool) ? tools[tool] : undefined;
  }

  async #callUnlisted(
    tool: string,
    args: Arguments | undefined,
    options: CallOptions | undefined,
    startedAt: number,
  ): Promise<McpTxResult> {
    const own = this.#snapshot(args); // the caller may change them while the server is asked for its tools
    const stored = await this.#prepare(tool, own, options, startedAt);
    if (stored !== undefined) return stored;
    this.#refuseClosed(); // meanwhile; nothing here keeps time any more
    return this.#execute(tool, own, options, startedAt);
  }

  #refuseClosed(): void {
    if (this.#kit.ports.isDraining()) throw new McpTxError('CLOSED', `${this.#kit.name} is closed`);
  }

  #execute(
    tool: string,
    args: Arguments | undefined,
    options: CallOptions | undefined,
    startedAt: number,
  ): Promise<McpTxResult> {
    const { catalog, options: settings, ports } = this.#kit;
    const plan = this.#plan(tool, args, options);
    const objection = plan.isContradictory ? this.#contradiction(tool) : catalog.objection(tool);
    if (objection !== undefined) return this.#refuse(plan, objection, startedAt);
    if (settings.validateArguments !== false) catalog.checkArguments(tool, plan.arguments);
    this.#started(plan);
    const execution = executeCall(ports, plan, startedAt);
    return execution.end.then((end) => this.#answer(plan, { end, joined: execution.joined }, startedAt));
  }

  #snapshot(args: Arguments | undefined): Arguments | undefined {
    const { maxArgumentDepth, maxArgumentLength } = this.#kit.defaults;
    const limits = { maxDepth: maxArgumentDepth, maxLength: maxArgumentLength };
    return args === undefined ? undefined : (JSON.parse(argumentsText(args, limits)) as Arguments);
  }

  #started(plan: CallPlan): void {
    this.#warnOnce(plan);
    const { events } = this.#kit.ports;
    if (!events.wants('call.started')) return;
    const { tool, requestId, operationId, mode, arguments: args } = plan;
    const hasKey = plan.idempotencyKey !== undefined;
    events.emit('call.started', { tool, requestId, operationId, mode, hasKey, arguments: args });
  }

  #answer(plan: CallPlan, answer: Answer, startedAt: number): McpTxResult {
    const { events } = this.#kit.ports;
    if (answer.end.kind === 'detached' && answer.end.mayHaveRun) {
      const { tool, requestId, operationId } = plan;
      events.emit('call.detached', { tool, requestId, operationId, reason: answer.end.reason });
    }
    try {
      const result = answerCaller(this.#kit.ports, plan, answer, startedAt);
      if (events.wants('call.ended')) this.#ended(plan, true, result.meta, undefined);
      return result;
    } catch (error) {
      if (isMcpTxError(error) && error.meta !== undefined) this.#ended(plan, false, error.meta, error.code);
      throw error;
    }
  }

  #ended({ tool, requestId, operationId }: CallPlan, ok: boolean, meta: CallMeta, code: string | undefined): void {
    const { duplicate, attempts, durationMs } = meta;
    this.#kit.ports.events.emit('call.ended', {
      tool,
      requestId,
      operationId,
      ok,
      duplicate,
      attempts,
      durationMs,
      ...(code === undefined ? {} : { code }),
    });
  }

  #plan(
    tool: string,
    args: Arguments | undefined,
    options: CallOptions = NO_OPTIONS,
    resumes?: OperationRecord,
  ): CallPlan {
    const { speaksMcpTx } = this.#kit.connection;
    if (this.#standing.speaksMcpTx !== speaksMcpTx) this.#standing = { ...this.#standing, speaksMcpTx };
    const input = {
      tool,
      arguments: args,
      options,
      rule: this.rule(tool),
      hints: this.#kit.catalog.hints(tool),
      serverName: this.#kit.name,
      server: this.#standing,
      defaults: this.#kit.defaults,
      recorded: this.#kit.ports.ledger !== undefined,
      resumes,
    };
    return buildCallPlan(input, this.#kit.ports.random);
  }

  /** Whoever says of a tool that it only reads and that it destroys has not said how often it may run. */
  #contradiction(tool: string): ToolObjection {
    const message = `${this.#kit.name} says that ${tool} is read-only and destructive; say what it is by a rule in tools, or by the call’s delivery`;
    return { reason: 'contradictory-hints', message };
  }

  /** A tool that must not be called. What is stored stays an answer. */
  async #refuse(plan: CallPlan, { reason, message }: ToolObjection, startedAt: number): Promise<McpTxResult> {
    const end = (await this.#stored(plan, startedAt)) ?? refused('TOOL_NOT_ALLOWED', message, { reason });
    return this.#answer(plan, { end, joined: false }, startedAt);
  }

  /** Makes sure that the tool exists. A stored answer stays an answer, also when the tool has gone since. */
  async #prepare(
    tool: string,
    args: Arguments | undefined,
    options: CallOptions = NO_OPTIONS,
    startedAt: number,
  ): Promise<McpTxResult | undefined> {
    const { catalog, defaults, ports, onFirstUse } = this.#kit;
    onFirstUse();
    const timeoutMs = timeoutOfCall(options, this.rule(tool), defaults);
    try {
      await withinTime(ports.clock, timeoutMs, (signal) => catalog.ensure(tool, signal), options.signal);
      return undefined;
    } catch (error) {
      if (options.idempotencyKey === undefined) throw error;
      const plan = this.#plan(tool, args, options);
      const end = await this.#stored(plan, startedAt);
      if (end === undefined) throw error;
      return this.#answer(plan, { end, joined: false }, startedAt);
    }
  }

  /** What is stored of a key, as far as there is time to look. */
  #stored(plan: CallPlan, startedAt: number): Promise<FlightEnd | undefined> {
    const { ports } = this.#kit;
    const leftMs = startedAt + plan.timeoutMs - ports.clock.monotonic();
    return unlessLate(ports.clock, leftMs, () => storedEnd(ports, plan));
  }

  /** A key says "never twice", and memory forgets with the process: worth saying, once. */
  #warnOnce(plan: CallPlan): void {
    if (
      this.#hasWarned ||
      plan.idempotencyKey === undefined ||
      plan.safe ||
      this.#kit.ports.ledger?.durability !== 'process'
    )
      return;
    this.#hasWarned = true;
    this.#warn('ledger.volatile', FORGETS);
  }

  #warn(event: string, message: string): void {
    const { name: server, options } = this.#kit;
    options.logger?.warn({ server, event }, `${server}: ${message}`);
  }
}

const FORGETS =
  'idempotency keys are kept in memory only and are forgotten when this process ends; give createMcpTx a ledger such as sqliteLedger()';
const RUNS_TWICE =
  'by delivery: ‘at-least-once’ every tool of this server about which nothing is known may run more than once';

const NO_OPTIONS: CallOptions = Object.freeze({});
