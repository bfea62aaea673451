/** Remembers each tool's definition by its digest, and holds back a tool whose definition has changed since it was first seen. */
import type { ToolDefinition } from '../connect/mcp-client.ts';
import { sha256Text } from '../runtime/digest.ts';
import type { ToolObjection } from '../session/tool-catalog.ts';

/** Digests of tool definitions, by server and tool. Plain JSON: keep it, and give it to the next hub. */
export type PinnedTools = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A tool whose definition is not the one that was first seen or accepted. It is not called, and not listed among the others. */
export interface ChangedTool {
  readonly server: string;
  readonly tool: string;
  /** What the server says of it now. */
  readonly definition: ToolDefinition;
  /** Digest of that. */
  readonly hash: string;
  /** Digest of what it said when it was first seen or accepted. */
  readonly pinnedHash: string;
}

/** A definition that was looked at: what {@link Hub.acceptTools} accepts, and nothing that came after it. */
export type ReviewedTool = Pick<ChangedTool, 'tool' | 'hash'>;

interface Listed {
  readonly definition: ToolDefinition;
  readonly hash: string;
}

/** The pins of one server. */
export class ToolPins {
  readonly #server: string;
  /** Outlives this server in the hub, so that it cannot come back as another one. Absent: definitions may change. */
  readonly #pinned: Map<string, string> | undefined;
  #listed: ReadonlyMap<string, Listed> = new Map();

  constructor(server: string, pinned: Map<string, string> | undefined) {
    this.#server = server;
    this.#pinned = pinned;
  }

  /** Learns the server's list. Gives the names of those that have changed in it and had not changed before. */
  see(tools: readonly ToolDefinition[]): readonly string[] {
    const before = new Set(this.changed.map(({ tool }) => tool));
    this.#listed = new Map(tools.map((definition) => [definition.name, { definition, hash: digestOf(definition) }]));
    for (const [tool, { hash }] of this.#listed)
      if (this.#pinned?.has(tool) === false && hash !== UNREADABLE) this.#pinned.set(tool, hash);
    return this.changed.map(({ tool }) => tool).filter((tool) => !before.has(tool));
  }

  /** What the server said of a tool last. */
  definition(tool: string): ToolDefinition | undefined {
    return this.#listed.get(tool)?.definition;
  }

  get isEmpty(): boolean {
    return this.#listed.size === 0;
  }

  /** Tools that are held back. */
  get changed(): readonly ChangedTool[] {
    const held = [...this.#listed].filter(([tool, { hash }]) => this.#hasChanged(tool, hash));
    return held.map(([tool, { definition, hash }]) => {
      return { server: this.#server, tool, definition, hash, pinnedHash: this.#pinned?.get(tool) ?? '' };
    });
  }

  /** Why a tool must not be called. */
  objection(tool: string): ToolObjection | undefined {
    const listed = this.#listed.get(tool);
    if (listed === undefined || !this.#hasChanged(tool, listed.hash)) return undefined;
    const message = `${this.#server} no longer says of ${tool} what it said when it was first seen; look at it, and then acceptTools`;
    return { reason: 'definition-changed', message };
  }

  /** Accepts what the server says now; of `reviewed` tools only what was looked at. Gives the names. */
  accept(reviewed: readonly ReviewedTool[] | undefined): readonly string[] {
    const wanted = this.changed.filter(
      (now) =>
        now.hash !== UNREADABLE && (reviewed?.some((seen) => seen.tool === now.tool && seen.hash === now.hash) ?? true),
    );
    for (const { tool, hash } of wanted) this.#pinned?.set(tool, hash);
    return wanted.map(({ tool }) => tool);
  }

  #hasChanged(tool: string, hash: string): boolean {
    return this.#pinned !== undefined && (hash === UNREADABLE || this.#pinned.get(tool) !== hash);
  }
}

/** Stands for a definition that cannot be written down, such as one nested too deep: never the same as another. */
const UNREADABLE = 'unreadable';

/** Digest of everything that a definition says, whatever the order of its members; `_meta` is the server's own business. */
function digestOf({ ...definition }: ToolDefinition & { readonly _meta?: unknown }): string {
  delete (definition as { _meta?: unknown })._meta;
  try {
    return sha256Text(JSON.stringify(definition, inOrder));
  } catch {
    return UNREADABLE;
  }
}

function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
