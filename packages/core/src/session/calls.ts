/** The way of a call from the public method to the engine and back: check, plan, execute, answer. */
import type { ServerConnection } from '../connect/server-source.ts';
import { answerCaller } from '../engine/answer-caller.ts';
import { executeCall } from '../engine/execute-call.ts';
import type { EnginePorts } from '../engine/ports.ts';
import type { OperationRecord } from '../ledger/record.ts';
import type { CallMeta, McpTxResult } from '../outcome/call-result.ts';
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import { buildCallPlan } from '../policy/call-plan.ts';
import type { CallDefaults, CallOptions, ToolRule } from '../policy/settings.ts';
import { checkCall } from './check-options.ts';
import type { McpTxOptions } from './options.ts';
import { resumePlan } from './resume-plan.ts';
import type { ToolCatalog } from './tool-catalog.ts';
import { withinTime } from './within-time.ts';

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
  #hasWarned = false;

  constructor(kit: CallKit) {
    this.#kit = kit;
  }

  /** Calls a tool of the server. @throws McpTxError */
  async call(tool: string, args: Arguments | undefined, options: CallOptions | undefined): Promise<McpTxResult> {
    const { catalog, options: settings, ports } = this.#kit;
    const startedAt = ports.clock.monotonic();
    checkCall(tool, options);
    if (ports.isDraining()) throw new McpTxError('CLOSED', `${this.#kit.name} is closed`);
    if (!catalog.isReady(tool)) await this.#prepare(tool, options);
    const plan = this.#plan(tool, args, options);
    if (settings.validateArguments !== false) catalog.checkArguments(tool, plan.arguments);
    return this.#execute(plan, startedAt);
  }

  /** Runs a stored call that was never sent, under its own identity. */
  async resume(record: OperationRecord): Promise<void> {
    const { ports } = this.#kit;
    const args = JSON.parse(record.arguments ?? '{}') as Arguments;
    const fresh = this.#plan(record.tool, args, { scope: record.scope });
    await executeCall(ports, resumePlan(fresh, record, ports.clock.now()), ports.clock.monotonic()).end;
  }

  /** What the user says about a tool. */
  rule(tool: string): ToolRule | undefined {
    const { tools } = this.#kit.options;
    return tools !== undefined && Object.hasOwn(tools, tool) ? tools[tool] : undefined;
  }

  async #execute(plan: CallPlan, startedAt: number): Promise<McpTxResult> {
    const { events } = this.#kit.ports;
    const { tool, requestId, operationId } = plan;
    this.#warnOnce(plan);
    if (events.wants('call.started')) {
      const { mode, arguments: args } = plan;
      events.emit('call.started', {
        tool,
        requestId,
        operationId,
        mode,
        hasKey: plan.idempotencyKey !== undefined,
        arguments: args,
      });
    }
    const { end, joined } = executeCall(this.#kit.ports, plan, startedAt);
    const answer = { end: await end, joined };
    if (answer.end.kind === 'detached' && answer.end.mayHaveRun) {
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

  #plan(tool: string, args: Arguments | undefined, options: CallOptions = NO_OPTIONS): CallPlan {
    const server = {
      trusted: this.#kit.options.trusted ?? false,
      speaksMcpTx: this.#kit.connection.speaksMcpTx,
      delivery: this.#kit.defaults.delivery,
    };
    const input = {
      tool,
      arguments: args,
      options,
      rule: this.rule(tool),
      hints: this.#kit.catalog.hints(tool),
      serverName: this.#kit.name,
      server,
      defaults: this.#kit.defaults,
      recorded: this.#kit.ports.ledger !== undefined,
    };
    return buildCallPlan(input, this.#kit.ports.random);
  }

  async #prepare(tool: string, options: CallOptions = NO_OPTIONS): Promise<void> {
    const { catalog, defaults, ports, onFirstUse } = this.#kit;
    onFirstUse();
    const timeoutMs = options.timeoutMs ?? this.rule(tool)?.timeoutMs ?? defaults.timeoutMs;
    await withinTime(ports.clock, timeoutMs, (signal) => catalog.ensure(tool, signal), options.signal);
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
    const message = `${this.#kit.name}: idempotency keys are kept in memory only and are forgotten when this process ends; give createMcpTx a ledger such as sqliteLedger()`;
    this.#kit.options.logger?.warn({ server: this.#kit.name, event: 'ledger.volatile' }, message);
  }
}

const NO_OPTIONS: CallOptions = Object.freeze({});
