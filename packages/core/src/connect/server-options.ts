/** What a user says about a server that we connect to ourselves; the same for both SDK lines. */
import { McpTxError } from '../outcome/tx-error.ts';
import { announcement } from '../protocol/capability.ts';
import type { Clock } from '../runtime/clock.ts';
import type { FetchLike } from './fetch-observer.ts';
import { observedFetch } from './fetch-observer.ts';
import type { Tap } from './tap.ts';

/** How to introduce ourselves. */
export interface ClientIdentity {
  readonly name: string;
  readonly version: string;
  /** Further client capabilities; MCP-Tx adds its own. */
  readonly capabilities?: Readonly<Record<string, unknown>>;
}

/** A server that is a program. */
export interface StdioServerOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to the few variables that the SDK passes on by itself. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What becomes of the program's standard error. Default `inherit`. */
  readonly stderr?: 'inherit' | 'ignore';
  /** Longest frame that the server may send, bytes. A longer one ends the connection. Default 10 MiB. */
  readonly maxFrameBytes?: number;
  readonly client?: ClientIdentity;
}

/** A server at a URL. */
export interface HttpServerOptions {
  readonly url: string | URL;
  /** Sent with every request; a function is asked each time, so that a token may change. */
  readonly headers?:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);
  /** Used instead of the global `fetch`. */
  readonly fetch?: FetchLike;
  readonly client?: ClientIdentity;
}

const DEFAULT_MAX_FRAME_BYTES = 10 * 1024 * 1024;

/** What both SDKs' stdio transports take. */
export interface StdioParameters {
  command: string;
  args: string[];
  stderr: 'inherit' | 'ignore';
  maxBufferSize: number;
  env?: Record<string, string>;
  cwd?: string;
}

/** The options, checked, as a transport takes them. @throws McpTxError `CONFIG_INVALID` */
export function stdioParameters(options: StdioServerOptions): StdioParameters {
  const { command, args = [], stderr = 'inherit', maxFrameBytes = DEFAULT_MAX_FRAME_BYTES, env, cwd } = options;
  if (typeof command !== 'string' || command === '') throw invalid('stdio({ command }) must be a non-empty string');
  if (
    command.includes('\0') ||
    !Array.isArray(args) ||
    args.some((arg) => typeof arg !== 'string' || arg.includes('\0'))
  ) {
    throw invalid('stdio({ args }) must be an array of strings without NUL');
  }
  if (!Number.isSafeInteger(maxFrameBytes) || maxFrameBytes < 1)
    throw invalid('stdio({ maxFrameBytes }) must be a positive integer');
  return {
    command,
    args: [...args],
    stderr,
    maxBufferSize: maxFrameBytes,
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(cwd === undefined ? {} : { cwd }),
  };
}

/** @throws McpTxError `CONFIG_INVALID` */
export function checkUrl(url: string | URL): URL {
  const parsed = URL.canParse(String(url)) ? new URL(String(url)) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw invalid(`http({ url }) must be an http or https URL, not ${JSON.stringify(String(url))}`);
  }
  return parsed;
}

/** Name and capabilities to connect with. */
export function announcedBy(identity: ClientIdentity | undefined): {
  readonly info: { readonly name: string; readonly version: string };
  readonly capabilities: Record<string, never>;
} {
  const ours = announcement();
  const theirs = (identity?.capabilities ?? {}) as { readonly extensions?: object; readonly experimental?: object };
  const capabilities = {
    ...theirs,
    extensions: { ...theirs.extensions, ...ours.extensions },
    experimental: { ...theirs.experimental, ...ours.experimental },
  };
  return {
    info: { name: identity?.name ?? 'mcp-tx', version: identity?.version ?? '0.0.0' },
    capabilities: capabilities as unknown as Record<string, never>,
  };
}

/** The user's fetch with the user's headers, under our observer. */
export function httpFetch(options: HttpServerOptions, clock: Clock, currentTap: () => Tap | undefined): FetchLike {
  const inner = options.fetch ?? ((url, init) => fetch(url, init));
  const observed = observedFetch(inner, clock, currentTap);
  const { headers } = options;
  if (headers === undefined) return observed;
  return async (url, init) => {
    const all = new Headers(init?.headers);
    for (const [name, value] of Object.entries(await current(headers))) all.set(name, value);
    return observed(url, { ...init, headers: all });
  };
}

/** The headers of now. @throws McpTxError `CONNECTION_FAILED`: nothing was sent */
async function current(headers: NonNullable<HttpServerOptions['headers']>): Promise<Readonly<Record<string, string>>> {
  try {
    return typeof headers === 'function' ? await headers() : headers;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new McpTxError('CONNECTION_FAILED', `the headers could not be made: ${why}`);
  }
}

function invalid(message: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', message);
}
