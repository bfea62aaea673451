/** What a call gives back to its caller: the tool's result, and what MCP-Tx can vouch for about it. */

import type { Durability } from './durability.ts';
import type { Execution, McpTxError } from './tx-error.ts';

/** How often an operation may run, as stated to the caller. */
export type DeliveryMode = 'at-most-once' | 'at-least-once' | 'effectively-once';

/** What a result may promise: the mode that held, or `exactly-once` where the server committed effect and record as one. */
export type Guarantee = DeliveryMode | 'exactly-once';

/** How far a repeat of the same key is recognised: within this call, this process, or everywhere that shares the store. */
export type DedupeScope = 'call' | 'process' | 'store';

/** What MCP-Tx knows about a call. */
export interface CallMeta {
  /** The server answered this operation. */
  readonly ack: boolean;
  /** The tool ran. */
  readonly processed: boolean;
  /** The result is a stored one, replayed. */
  readonly duplicate: boolean;
  /** Sends made for this operation, by everybody. Asking for the answer of one that the server says it runs is none. */
  readonly attempts: number;
  /** Id of this call. */
  readonly requestId: string;
  /** Id of the operation; equal for equal (scope, server, key). */
  readonly operationId: string;
  /** The delivery mode that held; `exactly-once` only by the word of a server that committed effect and record as one. */
  readonly guarantee: Guarantee;
  /** Present when nothing is known of the tool and the mode is the user's word for the whole server (`delivery`). */
  readonly guaranteeBy?: 'server-default';
  readonly dedupeScope: DedupeScope;
  /** Class of the ledger, or `none` without one. */
  readonly durability: Durability | 'none';
  readonly execution: Execution;
  /** `false`: the result could not be written to the ledger by the deadline; writing goes on. */
  readonly recorded: boolean;
  /** Who vouches for the result if not the server's own answer. */
  readonly resolvedBy?: string;
  /** `false` when another call under the same key would not be noticed: fingerprints are off for the tool, or there is no key. */
  readonly fingerprinted: boolean;
  /** Wall time of this call, ms. */
  readonly durationMs: number;
}

/** A tool's result as MCP has it, with one addition that `JSON.stringify` does not see. */
export interface ToolResult {
  readonly content?: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
  /** `structuredContent`, or else the parsed text when the content is a single text block that holds JSON. */
  readonly structured: unknown;
}

/** One block of content; MCP defines more members for each type. */
export interface ContentBlock {
  readonly type: string;
  readonly text?: string;
  readonly [key: string]: unknown;
}

/** A call that has a result. `isError: true` is a result: the tool ran and said no. */
export interface McpTxResult {
  readonly result: ToolResult;
  readonly meta: CallMeta;
}

/** What `tryCallTool` gives instead of throwing. */
export type CallOutcome =
  | { readonly ok: true; readonly result: ToolResult; readonly meta: CallMeta }
  | { readonly ok: false; readonly error: McpTxError };

/** Gives a plain result object the `structured` view. The view is inherited, so it is neither enumerated nor serialised. */
export function toToolResult(plain: object): ToolResult {
  if (Object.hasOwn(plain, '__proto__')) return Object.setPrototypeOf(plain, VIEW) as ToolResult; // assigning would obey it
  return Object.assign(Object.create(VIEW) as object, plain) as ToolResult;
}

const VIEW: object = Object.create(Object.prototype, {
  structured: {
    get(this: ToolResult): unknown {
      if (Object.hasOwn(this, 'structuredContent')) return this.structuredContent;
      const [block, second] = Array.isArray(this.content) ? (this.content as readonly ContentBlock[]) : [];
      if (second !== undefined || block?.type !== 'text' || typeof block.text !== 'string') return undefined;
      try {
        return JSON.parse(block.text);
      } catch {
        return undefined;
      }
    },
    enumerable: false,
  },
});
