/** What the server says about its tools: read before the first call, and again when it may have changed. */

import type { ToolDefinition } from '../connect/mcp-client.ts';
import type { SchemaCheck } from '../connect/schema-check.ts';
import { compileSchema } from '../connect/schema-check.ts';
import type { ServerConnection } from '../connect/server-source.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { ToolHints } from '../policy/tool-safety.ts';

/** One tool. */
interface Entry {
  readonly definition: ToolDefinition;
  check: SchemaCheck | undefined;
  isCompiled: boolean;
}

/** Looks at everything that a server says of its tools, and may forbid calls of some: what a hub gives its instances. Must not throw. */
export interface ToolWatch {
  /** The list was read: these are all tools. */
  readonly onListed: (tools: readonly ToolDefinition[]) => void;
  /** Why this tool must not be called now, if so. */
  readonly objection: (tool: string) => ToolObjection | undefined;
}

/** Why a tool must not be called. */
export interface ToolObjection {
  /** For programs: `reason` of the error. */
  readonly reason: string;
  readonly message: string;
}

/** The server's list of tools. */
export class ToolCatalog {
  readonly #connection: () => ServerConnection;
  readonly #watch: ToolWatch | undefined;
  #entries: Map<string, Entry> | undefined;
  #isFresh = false;
  /** The server has no list of tools, or does not give it: nothing can be said about them. */
  #isUnavailable = false;
  /** The list has changed since the reading under way began. */
  #isOutdated = false;
  #loading: Promise<void> | undefined;
  /** Begins when `#loading` has ended: for those who asked after a change that it may not have seen. */
  #following: Promise<void> | undefined;

  constructor(connection: () => ServerConnection, watch?: ToolWatch) {
    this.#connection = connection;
    this.#watch = watch;
  }

  /** Nothing has to be asked before this tool can be called. */
  isReady(tool: string): boolean {
    return this.#isFresh && (this.#isUnavailable || this.#entries?.has(tool) === true);
  }

  /** The list may have changed: read it again before the next call. */
  invalidate(): void {
    this.#isFresh = false;
    this.#isOutdated = true;
  }

  /** Names of all tools, as far as they are known. */
  get tools(): readonly ToolDefinition[] {
    return [...(this.#entries?.values() ?? [])].map((entry) => entry.definition);
  }

  has(tool: string): boolean {
    return this.#entries?.has(tool) === true;
  }

  /**
   * Makes sure that `tool` exists, as far as the server tells. A server that cannot be reached is no reason to fail here: the
   * call itself will find out, with everything that it may do about it.
   *
   * @throws McpTxError `TOOL_NOT_FOUND`
   */
  async ensure(tool: string, signal: AbortSignal): Promise<void> {
    try {
      await this.load(signal);
    } catch {
      return;
    }
    if (this.#isUnavailable || this.#entries?.has(tool) === true) return;
    throw new McpTxError('TOOL_NOT_FOUND', `the server has no tool ${JSON.stringify(tool)}; it has: ${this.#names()}`);
  }

  /**
   * Reads the list; all who ask meanwhile share one reading, and each may stop waiting by itself. Whoever asks after a change gets a
   * reading that began after it.
   *
   * @throws McpTxError `CONNECTION_FAILED`
   */
  load(signal: AbortSignal): Promise<void> {
    const loading = this.#reading();
    loading.catch(() => undefined); // those who wait hear of it; nobody may wait any more
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(new McpTxError('CONNECTION_FAILED', 'the list of tools did not come in time'));
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      void loading.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  /** Why this tool must not be called, as far as the last list tells. */
  objection(tool: string): ToolObjection | undefined {
    return this.#watch?.objection(tool);
  }

  hints(tool: string): ToolHints | undefined {
    return this.#entries?.get(tool)?.definition.annotations;
  }

  /** @throws McpTxError `ARGUMENTS_INVALID` when the tool's inputSchema refuses them */
  checkArguments(tool: string, args: Readonly<Record<string, unknown>>): void {
    const entry = this.#entries?.get(tool);
    if (entry === undefined) return;
    if (!entry.isCompiled) {
      entry.isCompiled = true;
      entry.check = compileSchema(entry.definition.inputSchema, 'they');
    }
    const problem = entry.check?.(args);
    if (problem === undefined) return;
    throw new McpTxError('ARGUMENTS_INVALID', `${tool} refuses these arguments: ${problem}`, { reason: 'schema' });
  }

  #reading(): Promise<void> {
    if (this.#loading === undefined) return this.#start();
    if (!this.#isOutdated) return this.#loading;
    const again = (): Promise<void> => this.#reading();
    this.#following ??= this.#loading.then(again, again);
    return this.#following;
  }

  #start(): Promise<void> {
    this.#following = undefined;
    this.#isOutdated = false;
    this.#loading = this.#read().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #read(): Promise<void> {
    try {
      const tools = await this.#connection().listTools(new AbortController().signal); // it has a time limit of its own
      this.#entries = new Map(
        tools.map((definition) => [definition.name, { definition, check: undefined, isCompiled: false }]),
      );
      this.#isUnavailable = false;
      this.#watch?.onListed(this.tools);
    } catch (error) {
      this.#isFresh = false;
      if (this.#connection().state !== 'ready') throw error;
      this.#isUnavailable = true; // it is there and will not tell
    }
    this.#isFresh = !this.#isOutdated;
  }

  #names(): string {
    const names = [...(this.#entries?.keys() ?? [])];
    return names.length === 0 ? 'none' : names.slice(0, 20).join(', ') + (names.length > 20 ? ', …' : '');
  }
}
