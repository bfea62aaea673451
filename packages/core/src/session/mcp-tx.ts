/** The object that users hold: one server, one ledger, and calls that say what became of them. */
import type { ToolDefinition } from '../connect/mcp-client.ts';
import type { ServerConnection } from '../connect/server-source.ts';
import type { CallEvents, Listener } from '../engine/call-events.ts';
import type { EnginePorts } from '../engine/ports.ts';
import type { ListQuery, Page } from '../ledger/ledger-reader.ts';
import type { AuditLine, OperationRecord } from '../ledger/record.ts';
import { callOutcome } from '../outcome/call-outcome.ts';
import type { CallOutcome, McpTxResult } from '../outcome/call-result.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { CallDefaults, CallOptions } from '../policy/settings.ts';
import { Calls } from './calls.ts';
import { checkCall, checkOptions } from './check-options.ts';
import type { Parts } from './create-ports.ts';
import { createPorts } from './create-ports.ts';
import { declaredReadOnly } from './declared-read-only.ts';
import type { Health } from './health.ts';
import { healthOf } from './health.ts';
import type { Verdict } from './operator.ts';
import { auditTrail, listOperations, noLedger, resolveOperation } from './operator.ts';
import type { McpTxOptions } from './options.ts';
import { callDefaults } from './options.ts';
import type { ProbeReport } from './probe-record.ts';
import { probeOperation } from './probe-record.ts';
import { logEvents } from './request-log.ts';
import type { ProbeKit } from './run-probe.ts';
import { runProbe } from './run-probe.ts';
import { shutDown } from './shut-down.ts';
import { createSweepKit } from './sweep-kit.ts';
import type { SweepKit, SweepReport } from './sweeper.ts';
import { Sweeper } from './sweeper.ts';
import type { ToolWatch } from './tool-catalog.ts';
import { ToolCatalog } from './tool-catalog.ts';
import type { LocalTool, LocalToolDefinition, LocalToolHandler } from './tool-registry.ts';
import { runLocalTool, toLocalTool } from './tool-registry.ts';
import { withinTime } from './within-time.ts';

/** When a server is first asked about a task that it has just begun, ms. */
const FIRST_TASK_POLL_MS = 1_000;

/** Makes an instance. Nothing is connected before the first call or `initialize()`. @throws McpTxError `CONFIG_INVALID` */
export function createMcpTx(options: McpTxOptions): McpTx {
  checkOptions(options);
  return new McpTx(options);
}

/** Reliable calls to one MCP server. Made by {@link createMcpTx}. */
export class McpTx implements AsyncDisposable {
  /** Name of the server, as it stands in the identity of every operation. */
  readonly name: string;
  /** Tenant or principal of calls that name none. */
  readonly scope: string;
  readonly #trusted: boolean;
  readonly #startTimeoutMs: number;
  readonly #defaults: CallDefaults;
  readonly #ports: EnginePorts;
  readonly #parts: Parts;
  readonly #connection: ServerConnection;
  readonly #catalog: ToolCatalog;
  readonly #calls: Calls;
  readonly #sweepKit: SweepKit | undefined;
  readonly #sweeper: Sweeper | undefined;
  readonly #localTools = new Map<string, LocalTool>();
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  /** @internal Use {@link createMcpTx}. */
  constructor(options: McpTxOptions, watch?: ToolWatch) {
    this.name = options.name ?? 'default';
    this.#defaults = callDefaults(options);
    this.scope = this.#defaults.scope;
    this.#trusted = options.trusted ?? false;
    this.#startTimeoutMs = Math.max(this.#defaults.timeoutMs, options.connectTimeoutMs ?? 10_000);
    this.#catalog = new ToolCatalog(() => this.#connection, watch);
    this.#parts = createPorts(options, this.#defaults, {
      probe: (plan, operation) => runProbe(plan.probe, operation, this.#probeKit),
      isDraining: () => this.isClosed,
      onToolsChanged: () => this.#catalog.invalidate(),
      onReconnected: () => this.#sweeper?.soon(0, this.#connection.generation === 1),
      onRemoteTask: () => this.#sweeper?.soon(FIRST_TASK_POLL_MS),
      closed: this.#closed.signal,
    });
    this.#ports = this.#parts.ports;
    this.#connection = this.#parts.connection;
    const { ports, connection } = this.#parts;
    this.#calls = new Calls({
      name: this.name,
      options,
      defaults: this.#defaults,
      ports,
      connection,
      catalog: this.#catalog,
      onFirstUse: () => this.#sweeper?.start(),
    });
    const hooks = { serverName: this.name, retentionMs: this.#defaults.retentionMs, calls: this.#calls };
    const isStopped = (): boolean => this.isClosed;
    this.#sweepKit = createSweepKit(this.#parts, { ...hooks, probeKit: this.#probeKit, isStopped });
    this.#sweeper = this.#sweepKit && new Sweeper(this.#sweepKit, options.sweepIntervalMs ?? 30_000);
    if (options.logger !== undefined)
      logEvents(this.#ports.events, options.logger, this.name, options.logRequests ?? false);
  }

  /**
   * Connects and reads the server's tools, so that a wrong configuration is noticed at start. May be repeated.
   * @throws McpTxError `CONNECTION_FAILED`, `CLOSED`; `CONFIG_INVALID` when a local tool has a remote one's name
   */
  async initialize(): Promise<void> {
    this.#refuseClosed();
    await withinTime(this.#ports.clock, this.#startTimeoutMs, (signal) => this.#catalog.load(signal));
    for (const name of this.#localTools.keys()) this.#refuseClash(name);
    this.#sweeper?.start();
  }

  /**
   * Calls a tool. Resolves with its result, also when that says `isError`; `meta` tells what is known and who vouches for it.
   *
   * @throws McpTxError with `code`, `execution` (did it happen: `none`, `unknown`, `done`) and `retryable`
   */
  callTool(tool: string, args?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<McpTxResult> {
    const local = this.#localTools.size === 0 ? undefined : this.#localTools.get(tool);
    return local === undefined ? this.#calls.call(tool, args, options) : this.#callLocal(local, args, options);
  }

  /** The same without throwing. */
  tryCallTool(tool: string, args?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<CallOutcome> {
    return callOutcome(this.callTool(tool, args, options));
  }

  /** Registers a local tool made of calls to the server's. @throws McpTxError `CONFIG_INVALID` when the name is taken */
  tool<Input>(name: string, definition: LocalToolDefinition<Input>, handler: LocalToolHandler<Input>): this {
    const local = toLocalTool(name, definition, handler);
    if (this.#localTools.has(name)) throw new McpTxError('CONFIG_INVALID', `there is a local tool ${name} already`);
    this.#refuseClash(name);
    this.#localTools.set(name, local);
    return this;
  }

  /** The server's tools, read now, in `timeoutMs` (default: as long as a call). @throws McpTxError `CONNECTION_FAILED`, `CLOSED` */
  async listTools(options: { readonly timeoutMs?: number } = {}): Promise<readonly ToolDefinition[]> {
    this.#refuseClosed();
    await withinTime(this.#ports.clock, options.timeoutMs ?? this.#startTimeoutMs, (signal) =>
      this.#catalog.load(signal),
    );
    return this.#catalog.tools;
  }

  /** Whether a tool is declared to change nothing: by its rule, or by a trusted server. @throws McpTxError `CONNECTION_FAILED` */
  isReadOnly(tool: string): boolean | Promise<boolean> {
    return declaredReadOnly(tool, this.#calls.rule(tool), this.#trusted, this.#catalog, () => this.listTools());
  }

  /** How things stand. Asks the server for a sign of life only with `check: true`. Never throws. */
  health(options: { readonly check?: boolean } = {}): Promise<Health> {
    const ask = () => withinTime(this.#ports.clock, 2_000, (signal) => this.#connection.check(signal));
    return healthOf(this.#ports, this.#connection, this.isClosed, options.check === true ? ask : undefined);
  }

  /** What the ledger knows of an operation. */
  async getOperation(operationId: string): Promise<OperationRecord | undefined> {
    return this.#ports.ledger?.find(operationId);
  }

  /** Operations in the ledger, newest first. @throws McpTxError `CONFIG_INVALID` when the ledger cannot be listed */
  listOperations(query: ListQuery = {}): Promise<Page> {
    return listOperations(this.#ports.ledger, query);
  }

  /** Who resolved an operation, when and why. @throws McpTxError `CONFIG_INVALID` when the ledger cannot be listed */
  auditTrail(operationId: string): Promise<readonly AuditLine[]> {
    return auditTrail(this.#ports.ledger, operationId);
  }

  /** Ends doubt by somebody's word. @throws McpTxError `OPERATION_NOT_FOUND`; `CALL_INVALID` when it is not in doubt */
  resolve(operationId: string, verdict: Verdict): Promise<OperationRecord> {
    return resolveOperation(this.#ports.ledger, this.#ports.events, operationId, verdict);
  }

  /** Sweeps now: lost owners, probes, expired records. The same happens in the background. */
  async sweep(): Promise<SweepReport> {
    this.#refuseClosed();
    if (this.#sweeper === undefined) throw noLedger();
    return this.#sweeper.sweep();
  }

  /**
   * Asks now about one operation in doubt: the server about its task or its record, else the tool's probe. What is found ends the
   * doubt; `absent` only once the send can no longer take effect, so that the record may be in doubt afterwards, too.
   *
   * @throws McpTxError `OPERATION_NOT_FOUND`; `CALL_INVALID` when it is not in doubt or another server's; `CONFIG_INVALID`
   * when its tool has no probe and the server cannot be asked, or the instance has no ledger; `CLOSED`; `LEDGER_UNAVAILABLE`
   */
  async probe(operationId: string): Promise<ProbeReport> {
    this.#refuseClosed();
    if (this.#sweepKit === undefined) throw noLedger();
    return probeOperation(this.#sweepKit, operationId);
  }

  /** Listens to an event; the returned function ends that. */
  on<Name extends keyof CallEvents>(name: Name, listener: Listener<Name>): () => void {
    return this.#ports.events.on(name, listener);
  }

  /**
   * Ends the instance: no new calls; those under way get `graceMs` (default 5,000) to end; what is then unanswered is recorded
   * as in doubt. Closes what it opened itself: the connection, a default ledger. Repeated calls give the same promise.
   */
  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= shutDown(this.#parts, this.#sweeper, this.#closed, options.graceMs ?? 5_000);
    return this.#closing;
  }

  /** Whether `close()` was called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #callLocal(
    local: LocalTool,
    args: Readonly<Record<string, unknown>> | undefined,
    options: CallOptions = {},
  ): Promise<McpTxResult> {
    checkCall(local.name, options);
    this.#refuseClosed();
    this.#refuseClash(local.name);
    return runLocalTool(local, args, options, {
      clock: this.#ports.clock,
      defaultTimeoutMs: this.#defaults.timeoutMs,
      requestId: () => `req_${this.#ports.random.id()}`,
      callTool: (tool, innerArgs, innerOptions) => this.callTool(tool, innerArgs, innerOptions),
    });
  }

  get #probeKit(): ProbeKit {
    const { clock, events } = this.#ports;
    return { clock, events, read: (tool, args, options) => this.callTool(tool, args, options) };
  }

  #refuseClosed(): void {
    if (this.isClosed) throw new McpTxError('CLOSED', `${this.name} is closed`);
  }

  #refuseClash(name: string): void {
    if (this.#catalog.has(name))
      throw new McpTxError('CONFIG_INVALID', `the server has a tool ${name}, too; give the local one another name`);
  }
}
