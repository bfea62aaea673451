/** Puts the tools of all servers into one list, of which every name means one tool. */
import type { ToolDefinition } from '../connect/mcp-client.ts';
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import type { Member } from './member.ts';
import type { ChangedTool } from './tool-pins.ts';

/** A tool of one of a hub's servers. */
export interface HubTool {
  /** Its name in the list: the tool's own, or `server.tool`. */
  readonly name: string;
  /** What {@link Hub.callTool} takes. */
  readonly server: string;
  /** What {@link Hub.callTool} takes: the server's own name for it. */
  readonly tool: string;
  readonly definition: ToolDefinition;
}

/** The tools of all servers that answered, and what is missing. */
export interface HubTools {
  readonly tools: readonly HubTool[];
  /** Servers that did not tell, and why. */
  readonly unavailable: ReadonlyMap<string, McpTxError>;
  /** Tools that are held back, because their definition has changed. */
  readonly changed: readonly ChangedTool[];
}

/** Asks all servers at once; none is waited for longer than `timeoutMs`. @throws McpTxError `CONFIG_INVALID` when two names collide */
export async function listAll(
  members: readonly Member[],
  collisions: 'refuse' | 'prefix',
  timeoutMs: number,
): Promise<HubTools> {
  const unavailable = new Map<string, McpTxError>();
  const answers = await Promise.all(
    members.map(async ({ name, tx }) => {
      try {
        return await tx.listTools({ timeoutMs });
      } catch (error) {
        unavailable.set(name, asTxError(error));
        return [];
      }
    }),
  );
  const tools = members.flatMap(({ name: server, pins }, at) =>
    (answers[at] ?? [])
      .filter(({ name }) => pins.objection(name) === undefined)
      .map((definition) => {
        const name = collisions === 'prefix' ? `${server}.${definition.name}` : definition.name;
        return { name, server, tool: definition.name, definition };
      }),
  );
  refuseCollisions(tools);
  return { tools, unavailable, changed: members.flatMap(({ pins }) => pins.changed) };
}

function refuseCollisions(tools: readonly HubTool[]): void {
  const owners = new Map<string, string>();
  for (const { name, server } of tools) {
    const other = owners.get(name);
    if (other !== undefined) {
      const message = `${other} and ${server} both have a tool that would be listed as ${JSON.stringify(name)}`;
      throw new McpTxError('CONFIG_INVALID', `${message}; say collisions: 'prefix', or call one of them otherwise`);
    }
    owners.set(name, server);
  }
}

function asTxError(error: unknown): McpTxError {
  if (isMcpTxError(error)) return error;
  return new McpTxError('CONNECTION_FAILED', `the server did not list its tools: ${String(error)}`, { cause: error });
}
