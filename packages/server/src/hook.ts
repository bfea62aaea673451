/** Finds, in a server of either SDK line, where requests are handled, and puts itself before the tools. */
import { McpTxError } from '@mcp-tx/core/ledger';
import { announcement } from '@mcp-tx/core/protocol';
import { member } from './member.ts';
import type { RequestHandler } from './run-tool.ts';

/** What a server of either SDK line has, as far as it is touched. */
interface LowServer {
  registerCapabilities(capabilities: object): void;
  setRequestHandler(...args: readonly unknown[]): unknown;
  readonly _requestHandlers: Map<string, RequestHandler>;
}

/** What `McpServer` has beyond that: its tools, and whether its own handler looks them up. */
interface HighServer {
  readonly _registeredTools?: unknown;
  readonly _toolHandlersInitialized?: unknown;
}

/** A server that can be wrapped. */
export interface Hook {
  /** `false`: certainly no tool of that name. `undefined`: cannot be told. */
  knowsTool(name: string): boolean | undefined;
  /** Adds to the announced capabilities. @throws McpTxError `CONFIG_INVALID` when the server is connected already. */
  announce(settings: Readonly<Record<string, unknown>>): void;
  /** Puts `wrap` around the handler of `tools/call`, now and whenever it is registered anew. */
  wrapToolCalls(wrap: (handler: RequestHandler) => RequestHandler): void;
  /** Handles a method of our own. */
  handle(method: string, handler: RequestHandler): void;
}

const TOOLS_CALL = 'tools/call';
/** Wrapping twice would claim every operation twice. */
const WRAPPED: unique symbol = Symbol.for('mcp-tx.server.wrapped');

/** @throws McpTxError `CONFIG_INVALID` when this is no server of a known SDK, or wrapped already. */
export function hookInto(server: object): Hook {
  const low = lowServerOf(server);
  if (WRAPPED in low) throw invalid('this server is wrapped already');
  Object.defineProperty(low, WRAPPED, { value: true });
  const handlers = low._requestHandlers;
  const high = server as HighServer;
  let isReplaced = false;
  return {
    knowsTool(name) {
      const { _registeredTools: tools, _toolHandlersInitialized: isItsOwn } = high;
      if (typeof tools !== 'object' || tools === null || isItsOwn !== true || isReplaced) return undefined;
      return member(member(tools, name), 'enabled') === true;
    },
    announce: (settings) => announce(low, settings),
    wrapToolCalls(wrap) {
      const ours = new WeakSet<RequestHandler>();
      const wrapNow = (): void => {
        const handler = handlers.get(TOOLS_CALL);
        if (handler === undefined || ours.has(handler)) return;
        const wrapped = wrap(handler);
        ours.add(wrapped);
        handlers.set(TOOLS_CALL, wrapped);
      };
      const register = low.setRequestHandler;
      low.setRequestHandler = (...args) => {
        const before = handlers.get(TOOLS_CALL);
        const wasItsOwn = high._toolHandlersInitialized === true;
        const answer = register.call(low, ...args);
        isReplaced ||= wasItsOwn && handlers.get(TOOLS_CALL) !== before; // frameworks look tools up in lists of their own
        wrapNow();
        return answer;
      };
      wrapNow();
    },
    handle: (method, handler) => void handlers.set(method, handler),
  };
}

function lowServerOf(server: object): LowServer {
  const inner = (server as { readonly server?: unknown }).server;
  const low = (typeof inner === 'object' && inner !== null ? inner : server) as Partial<LowServer>;
  const isKnown =
    typeof low.registerCapabilities === 'function' &&
    typeof low.setRequestHandler === 'function' &&
    low._requestHandlers instanceof Map;
  if (!isKnown)
    throw invalid('this is no McpServer or Server of @modelcontextprotocol/sdk or @modelcontextprotocol/server');
  return low as LowServer;
}

function announce(low: LowServer, settings: Readonly<Record<string, unknown>>): void {
  const { extensions, experimental } = announcement();
  const told = (block: object): object => Object.fromEntries(Object.keys(block).map((id) => [id, { ...settings }]));
  try {
    low.registerCapabilities({ extensions: told(extensions), experimental: told(experimental) });
  } catch (cause) {
    throw new McpTxError('CONFIG_INVALID', 'withMcpTx: wrap the server before it is connected', { cause });
  }
}

function invalid(problem: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `withMcpTx: ${problem}`);
}
