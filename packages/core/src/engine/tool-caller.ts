/** The one thing the engine needs of a server: a way to send a tool call and to be told what was seen of it. */
import type { Observation } from '../policy/observation.ts';
import type { Progress } from '../policy/settings.ts';
import type { TxRequestMeta } from '../protocol/tx-meta.ts';

/** A connection to one server, as the engine sees it. */
export interface ToolCaller {
  /** The server announced that it speaks MCP-Tx. */
  readonly speaksMcpTx: boolean;
  /** A send can leave at once. For an unsafe tool that also means: the connection was seen alive a moment ago. */
  isReady(unsafe: boolean): boolean;
  /**
   * Connects, respawns or probes, whatever it takes until {@link isReady}.
   *
   * @throws McpTxError `CONNECTION_FAILED`; nothing was sent
   */
  makeReady(unsafe: boolean, signal: AbortSignal): Promise<void>;
  /** Re-authenticates or begins a new session, so that the next send has a chance. Never throws. */
  recover(what: 'auth' | 'session'): Promise<void>;
  /** Sends. The bytes leave before this turn of the event loop is over, or never. Never throws. */
  send(request: SendRequest): Sending;
}

/** One send. */
export interface SendRequest {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What the caller wants under `_meta`: trace context and the like. */
  readonly meta: Readonly<Record<string, unknown>> | undefined;
  /** Who this is; travels under `_meta` to a server that speaks MCP-Tx. */
  readonly identity: Omit<TxRequestMeta, 'v'>;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** A send under way. */
export interface Sending {
  /** Everything seen, once the send has ended. Never rejects; may never resolve. */
  readonly ended: Promise<Observation>;
  /** Tells the server that nobody wants the answer, and ends the send. */
  cancel(reason: string): void;
  /** Lets the SDK forget the send. The server is told nothing, so that what it has begun may end. */
  forget(reason: string): void;
  /** Nothing of this send can take effect any more: the server's process, which was ours, is gone. */
  isDead(): boolean;
}
