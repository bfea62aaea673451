/** How an operation ends, and what each end says about the tool's effect. */
import type { Execution, TxErrorCode } from './tx-error.ts';

/** States that automation never leaves. */
export type TerminalState = 'completed' | 'failed' | 'in_doubt';

/** Why an operation is in doubt. */
export type InDoubtReason =
  | 'timeout' // no answer within the deadline and the grace after it
  | 'connection-lost' // reset, stream end or exit of the server after the send
  | 'server-error' // an answer that does not say whether the tool ran: 5xx, JSON-RPC -32603, …
  | 'aborted' // the caller asked for the send to be cancelled
  | 'owner-lost' // the process that sent it is gone
  | 'remote-task' // the server answered with a task that goes on
  | 'input-required' // the server asked for input that this client cannot give
  | 'server-in-doubt' // the server speaks MCP-Tx and says that it does not know either
  | 'shutdown'; // this process closed before the answer came

/** An error as the ledger keeps it. */
export interface StoredError {
  readonly code: TxErrorCode;
  readonly message: string;
  /** JSON-RPC code, HTTP status and data of the server's refusal, where there was one. */
  readonly serverCode?: number;
  readonly serverStatus?: number;
  readonly serverData?: unknown;
}

/** How an operation ended. */
export type Outcome =
  | {
      readonly state: 'completed' /** The result as JSON text: every caller gets a parse of exactly this. */;
      readonly result: string;
      /** The tool's effect and this end were committed in one transaction, by whoever ran the tool. */
      readonly exactlyOnce?: true;
      readonly unusable?: never;
    }
  | {
      readonly state: 'completed' /** It ran, but what it answered cannot be used. Replayed as the same error. */;
      readonly unusable: StoredError;
      readonly result?: never;
      readonly exactlyOnce?: never;
    }
  | { readonly state: 'failed'; readonly error: StoredError }
  | {
      readonly state: 'in_doubt';
      readonly reason: InDoubtReason /** Id of the server's task, for `remote-task`. */;
      readonly taskId?: string;
    };

/** What is known of the effect of an operation that ended so. */
export function executionOf(outcome: Outcome): Execution {
  if (outcome.state === 'completed') return 'done';
  return outcome.state === 'failed' ? 'none' : 'unknown';
}
