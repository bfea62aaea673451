/** What `createMcpTx({ server })` takes, and what the session needs of the connection behind it. */
import type { ToolCaller } from '../engine/tool-caller.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { ToolDefinition } from './mcp-client.ts';
import type { OperationStatus } from './operation-status.ts';

/** How a connection stands. */
export type ConnectionState = 'idle' | 'connecting' | 'ready' | 'down' | 'closed';

/**
 * How a task that a server goes on with stands. `completed`: it has a result, be it one with `isError`. `gone`: it has ended
 * without one (failed, cancelled), or the server does not know it any more; what it did is not known. `unknown`: nobody can ask.
 */
export type TaskStatus =
  | { readonly state: 'completed'; readonly result: object }
  | { readonly state: 'working' | 'gone' | 'unknown' };

/** A connection to one server. */
export interface ServerConnection extends ToolCaller {
  readonly state: ConnectionState;
  /** Number of connections made so far: grows with every reconnect. */
  readonly generation: number;
  /** All tools of the server. Connects if need be. @throws McpTxError `CONNECTION_FAILED` */
  listTools(signal: AbortSignal): Promise<readonly ToolDefinition[]>;
  /** A sign of life. Connects if need be. @throws McpTxError `CONNECTION_FAILED` */
  check(signal: AbortSignal): Promise<void>;
  /** How a task of the server stands; absent where it cannot be asked. */
  taskStatus?(taskId: string, signal: AbortSignal): Promise<TaskStatus>;
  /** How the server says that an operation stands; absent where it cannot be asked. */
  operationStatus?(operationId: string, signal: AbortSignal): Promise<OperationStatus>;
  /** Ends it; a server process that was started for it is gone afterwards. */
  close(): Promise<void>;
}

/** What a connection gets from the instance that opens it. */
export interface ConnectionContext {
  readonly clock: Clock;
  readonly random: Random;
  /** The server's list of tools has changed. */
  readonly onToolsChanged: () => void;
  /** Connected again, after an earlier connection was lost; or for the first time, to a server that knows its operations. */
  readonly onReconnected: () => void;
  readonly connectTimeoutMs: number;
  /** A connection idle for longer is probed before an unsafe send, ms. */
  readonly probeIfIdleMs: number;
}

const BRAND: unique symbol = Symbol.for('mcp-tx.server-source');

/** Something that opens connections: `stdio(…)`, `http(…)`, or one of your own made with {@link serverSource}. */
export interface ServerSource {
  readonly [BRAND]: true;
  open(context: ConnectionContext): ServerConnection;
}

/** Makes a server source. */
export function serverSource(open: (context: ConnectionContext) => ServerConnection): ServerSource {
  return { [BRAND]: true, open };
}

/** Whether a value is a server source, also one of another copy of this package. */
export function isServerSource(value: unknown): value is ServerSource {
  return typeof value === 'object' && value !== null && (value as { readonly [BRAND]?: unknown })[BRAND] === true;
}
