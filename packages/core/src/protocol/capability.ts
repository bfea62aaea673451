/** Says how a peer announces that it speaks MCP-Tx, and reads that announcement back. */

/** The extension's identifier, and the key of its blocks under `_meta` and `error.data`. */
export const EXTENSION_ID = 'io.github.mcp-tx/reliability';
/** The older place: SDKs before 1.29 drop `capabilities.extensions` but keep `experimental`. */
export const EXPERIMENTAL_ID = 'mcp_tx';
/** The method that asks a server how an operation stands. */
export const STATUS_METHOD = 'io.github.mcp-tx/status';
/** Version of the blocks that this code writes. */
export const WIRE_VERSION = 1;

/** The part of MCP's client and server capabilities that matters here. */
export interface CapabilitiesLike {
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
  readonly experimental?: Readonly<Record<string, unknown>> | undefined;
}

/** What to add to one's own capabilities in order to announce MCP-Tx. */
export function announcement(): {
  extensions: Record<string, Record<string, never>>;
  experimental: Record<string, Record<string, never>>;
} {
  return { extensions: { [EXTENSION_ID]: {} }, experimental: { [EXPERIMENTAL_ID]: {} } };
}

/** Whether a peer with these capabilities speaks MCP-Tx; either announcement is enough. */
export function speaksMcpTx(capabilities: CapabilitiesLike | undefined): boolean {
  return isPresent(capabilities?.extensions, EXTENSION_ID) || isPresent(capabilities?.experimental, EXPERIMENTAL_ID);
}

function isPresent(block: Readonly<Record<string, unknown>> | undefined, id: string): boolean {
  if (typeof block !== 'object' || block === null || !Object.hasOwn(block, id)) return false;
  return typeof block[id] === 'object' && block[id] !== null;
}
