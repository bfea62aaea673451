/** The structural slice of MCP's client and transport that both SDK lines share; nothing here imports an SDK. */

import type { ToolHints } from '../policy/tool-safety.ts';
import type { CapabilitiesLike } from '../protocol/capability.ts';

/** Parameters of `tools/call`. */
export interface CallToolParams {
  readonly name: string;
  readonly arguments?: Record<string, unknown>;
  readonly _meta?: Record<string, unknown>;
}

/** The request options that both lines take. */
export interface RequestOptionsLike {
  signal?: AbortSignal;
  timeout?: number;
  onprogress?: (progress: { progress: number; total?: number | undefined; message?: string | undefined }) => void;
}

/** A tool as `tools/list` describes it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
  readonly annotations?: ToolHints | undefined;
  readonly execution?: { readonly taskSupport?: string | undefined } | undefined;
}

/** A transport under a client. */
export interface TransportLike {
  send(message: never, options?: never): Promise<void>;
  close(): Promise<void>;
  onmessage?: ((message: never, extra?: never) => void) | undefined;
  onclose?: (() => void) | undefined;
  readonly sessionId?: string | undefined;
}

/** `Client` of `@modelcontextprotocol/sdk` (SDK v1) and of `@modelcontextprotocol/client` (SDK v2). */
export interface McpClientLike {
  callTool(params: CallToolParams, schemaOrOptions?: never, options?: never): Promise<unknown>;
  listTools(
    params?: { cursor?: string },
    options?: RequestOptionsLike,
  ): Promise<{ tools: readonly ToolDefinition[]; nextCursor?: string | undefined }>;
  ping?(options?: RequestOptionsLike): Promise<unknown>;
  close(): Promise<void>;
  getServerCapabilities?(): CapabilitiesLike | undefined;
  /** Only SDK v2 has it. */
  getProtocolEra?(): 'legacy' | 'modern' | undefined;
  readonly transport?: unknown;
}

/** Which line a client is of. */
export function isSdkV2(client: McpClientLike): boolean {
  return typeof client.getProtocolEra === 'function';
}

/**
 * Whether calling a tool means what SDK v1 means by it, and nothing more. A subclass, a proxy or an instance with a `callTool` or
 * a `request` of its own adds something, and wants to be asked.
 */
export function isPlainSdkV1(client: McpClientLike): boolean {
  const own = ownerOf(client, 'callTool');
  const base = ownerOf(client, 'request');
  if (isSdkV2(client) || own === undefined || base === undefined || Object.hasOwn(client, 'callTool')) return false;
  const { callTool, request } = client as unknown as Record<string, unknown>;
  const isOneClass = Object.hasOwn(own, 'listTools') && Object.hasOwn(own, 'getServerCapabilities');
  const isItsBase = Object.getPrototypeOf(own) === base && Object.hasOwn(base, 'notification');
  return isOneClass && isItsBase && own['callTool'] === callTool && base['request'] === request;
}

/** The object on a prototype chain that has the member itself. */
function ownerOf(value: object, name: string): Readonly<Record<string, unknown>> | undefined {
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if (Object.hasOwn(at, name)) return at as Readonly<Record<string, unknown>>;
  }
  return undefined;
}

/** Calls a tool on either line: SDK v1 takes a result schema before the options. */
export function callToolOn(
  client: McpClientLike,
  params: CallToolParams,
  options: RequestOptionsLike,
): Promise<unknown> {
  return isSdkV2(client)
    ? client.callTool(params, options as never)
    : client.callTool(params, undefined, options as never);
}

/** Whether a value can be used as a client. */
export function isMcpClient(value: unknown): value is McpClientLike {
  if (typeof value !== 'object' || value === null) return false;
  const { callTool, listTools, close } = value as Record<string, unknown>;
  return typeof callTool === 'function' && typeof listTools === 'function' && typeof close === 'function';
}

const MAX_PAGES = 64;

/** All tools, over all pages. A server that never ends its list is cut off after 64 pages. */
export async function listAllTools(
  client: McpClientLike,
  options: RequestOptionsLike,
): Promise<readonly ToolDefinition[]> {
  const tools: ToolDefinition[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await client.listTools(cursor === undefined ? undefined : { cursor }, options);
    tools.push(...answer.tools);
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  return tools;
}

/** Asks the server for a sign of life, in whatever way its protocol version has. */
export async function checkAlive(client: McpClientLike, options: RequestOptionsLike): Promise<void> {
  if (typeof client.ping === 'function' && client.getProtocolEra?.() !== 'modern') await client.ping(options);
  else await client.listTools(undefined, options);
}
