/** Many servers by name, each with an instance of its own, so that what is wrong with one is no matter of the others. */
import type { Ledger } from '../ledger/ledger.ts';
import { memoryLedger } from '../ledger/memory-ledger.ts';
import type { CallOutcome, McpTxResult } from '../outcome/call-result.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { CallOptions } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { McpTx } from '../session/mcp-tx.ts';
import type { BroadcastOptions, Settled } from './broadcast.ts';
import { broadcast } from './broadcast.ts';
import type { HubHealth } from './hub-health.ts';
import { hubHealth } from './hub-health.ts';
import type { HubDefaults, HubOptions, HubServerOptions } from './hub-options.ts';
import { hubDefaults, serverOptions } from './hub-options.ts';
import type { HubTools } from './hub-tools.ts';
import { listAll } from './hub-tools.ts';
import { Member } from './member.ts';
import type { PinnedTools, ReviewedTool } from './tool-pins.ts';
import { ToolPins } from './tool-pins.ts';

/** A result that says where it came from. */
export interface HubResult extends McpTxResult {
  /** Name of the server in the hub. */
  readonly server: string;
}

/** How long the aggregated list waits for a server, ms. */
const LIST_MS = 10_000;

/** Makes a hub. Nothing is connected before a server's first call. @throws McpTxError `CONFIG_INVALID`, naming server and field */
export function createHub(options: HubOptions): Hub {
  return new Hub(options);
}

/** Reliable calls to many MCP servers. Made by {@link createHub}. */
export class Hub implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #defaults: HubDefaults;
  readonly #collisions: 'refuse' | 'prefix';
  readonly #ownLedger: Ledger | undefined;
  readonly #members = new Map<string, Member>();
  /** Servers on their way out, which the hub still answers for. */
  readonly #leaving = new Set<Promise<void>>();
  /** Digests by server and tool; absent: not kept. */
  readonly #pins: Map<string, Map<string, string>> | undefined;
  #closing: Promise<void> | undefined;

  /** @internal Use {@link createHub}. */
  constructor(options: HubOptions) {
    const defaults = hubDefaults(options);
    this.#clock = defaults.clock ?? systemClock;
    this.#ownLedger = defaults.ledger === undefined ? memoryLedger({ clock: this.#clock }) : undefined;
    this.#defaults = this.#ownLedger === undefined ? defaults : { ...defaults, ledger: this.#ownLedger };
    this.#collisions = options.collisions ?? 'refuse';
    const { servers = {}, pins = {} } = options;
    if (pins !== false)
      this.#pins = new Map(Object.entries(pins).map(([server, tools]) => [server, new Map(Object.entries(tools))]));
    const all = Object.entries(servers);
    for (const [name, own] of all) serverOptions(name, own, this.#defaults); // all or none
    for (const [name, own] of all) this.add(name, own);
  }

  /** Names of all servers, in the order in which they came. */
  get servers(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** The instance of one server: for its events, its operations, its local tools. @throws McpTxError `CALL_INVALID` */
  server(name: string): McpTx {
    return this.#member(name).tx;
  }

  /** Adds a server. Nothing is connected yet. @throws McpTxError `CONFIG_INVALID`, also when the name is taken; `CLOSED` */
  add(name: string, options: HubServerOptions): McpTx {
    this.#refuseClosed();
    const complete = serverOptions(name, options, this.#defaults);
    if (this.#members.has(name)) throw new McpTxError('CONFIG_INVALID', `name: there is a server ${name} already`);
    const pinned = this.#pins?.get(name) ?? new Map<string, string>();
    this.#pins?.set(name, pinned);
    const member = new Member(name, complete, new ToolPins(name, this.#pins && pinned));
    this.#members.set(name, member);
    return member.tx;
  }

  /**
   * Takes a server out: no new calls, and those under way get `graceMs` (default 5,000) to end; what is then unanswered is in doubt.
   * Its pins stay, so that it cannot come back under its name as another one.
   *
   * @throws McpTxError `CALL_INVALID` when there is no such server
   */
  async remove(name: string, options: { readonly graceMs?: number } = {}): Promise<void> {
    const { tx } = this.#member(name);
    this.#members.delete(name);
    const left = tx.close(options);
    this.#leaving.add(left);
    await left;
    this.#leaving.delete(left);
  }

  /** Calls a tool of one server, as its instance does. @throws McpTxError `CALL_INVALID` for an unknown server; else see {@link McpTx.callTool} */
  async callTool(
    server: string,
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ): Promise<HubResult> {
    return { server, ...(await this.#member(server).tx.callTool(tool, args, options)) };
  }

  /** The same without throwing. */
  async tryCallTool(
    server: string,
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ): Promise<Settled> {
    return { server, ...(await this.#tryCall(server, tool, args, options)) };
  }

  /**
   * Calls the same tool on many servers. Every one of them has its outcome in the answer, whatever became of it: whether the policy
   * was met is for the reader to see. Once it is met, or cannot be met any more, no further call begins, and those under way detach:
   * their outcome is then `unknown`, and their operation is settled as always.
   *
   * A key names one operation on each server.
   *
   * @throws McpTxError `CALL_INVALID` for options that cannot be meant, and for `any` or a quorum of a tool that is not known to be
   * safe, without `confirm`; `CLOSED`
   */
  async broadcast(
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    options: BroadcastOptions = {},
  ): Promise<ReadonlyMap<string, Settled>> {
    this.#refuseClosed();
    const { servers } = options;
    if (servers !== undefined && !Array.isArray(servers))
      throw new McpTxError('CALL_INVALID', 'servers must be a list of names');
    const names = new Set(servers ?? this.#members.keys());
    return broadcast(
      [...names].map((name) => this.#member(name)),
      tool,
      args,
      options,
      this.#clock,
    );
  }

  /**
   * The tools of all servers, read now. A server that does not answer in `timeoutMs` (default 10,000) is reported and hides no other.
   *
   * @throws McpTxError `CONFIG_INVALID` when two tools would have one name; `CLOSED`
   */
  async listTools(options: { readonly timeoutMs?: number } = {}): Promise<HubTools> {
    this.#refuseClosed();
    return listAll([...this.#members.values()], this.#collisions, options.timeoutMs ?? LIST_MS);
  }

  /**
   * Accepts what a server says of its changed tools now; with `reviewed`, only definitions that are still those. Gives the names of
   * the tools that may be called again.
   *
   * @throws McpTxError `CALL_INVALID` when there is no such server
   */
  acceptTools(server: string, reviewed?: readonly ReviewedTool[]): readonly string[] {
    return this.#member(server).pins.accept(reviewed);
  }

  /** Digests of the tool definitions that were seen first or accepted: for the `pins` of the next hub. */
  pins(): PinnedTools {
    return Object.fromEntries([...(this.#pins ?? [])].map(([server, tools]) => [server, Object.fromEntries(tools)]));
  }

  /** How everything stands. Asks the servers for a sign of life only with `check: true`. Never throws. */
  health(options: { readonly check?: boolean } = {}): Promise<HubHealth> {
    return hubHealth([...this.#members.values()], this.#closing !== undefined, options.check ?? false);
  }

  /** Closes all servers side by side, as {@link McpTx.close} does, and then a ledger that the hub made itself. */
  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** Whether `close()` was called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(options: { readonly graceMs?: number }): Promise<void> {
    const closing = [...this.#members.values()].map(({ tx }) => tx.close(options));
    await Promise.all([...closing, ...this.#leaving]);
    await this.#ownLedger?.close();
  }

  async #tryCall(
    server: string,
    tool: string,
    args: Readonly<Record<string, unknown>> | undefined,
    options: CallOptions | undefined,
  ): Promise<CallOutcome> {
    const member = this.#members.get(server);
    if (member === undefined) return { ok: false, error: this.#unknown(server) };
    return member.tx.tryCallTool(tool, args, options);
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw this.#unknown(name);
    return member;
  }

  #unknown(name: unknown): McpTxError {
    const message = `server: this hub has no ${JSON.stringify(String(name))}; it has: ${this.servers.join(', ') || 'none'}`;
    return new McpTxError('CALL_INVALID', message);
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new McpTxError('CLOSED', 'the hub is closed');
  }
}
