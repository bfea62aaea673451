/** The record of one operation, and the rule that says which of its states may follow which. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { Outcome, TerminalState } from '../outcome/outcome.ts';

/**
 * `claimed`: nothing sent. `sent`: bytes may have left. `completed`: the tool ran and this is its answer. `failed`: a verdict
 * on this very call, nothing ran. `in_doubt`: cannot be known; only a named resolution leaves it.
 */
export type OperationState = 'claimed' | 'sent' | 'completed' | 'failed' | 'in_doubt';

/** Who ended the doubt, and how. */
export interface Resolution {
  readonly outcome: Extract<Outcome, { readonly state: 'completed' | 'failed' }>;
  /** `late-answer`, `probe`, or the name of a person or system. */
  readonly by: string;
  /** Why, in words; required of operators. */
  readonly reason: string;
}

/** One line of an operation's audit trail. */
export interface AuditLine {
  readonly operationId: string;
  readonly at: number;
  readonly by: string;
  readonly action: 'resolved' | 'contradicted';
  readonly state: TerminalState;
  readonly reason: string;
}

/** Everything a ledger keeps of an operation. Instants are epoch ms by the store's clock. */
export interface OperationRecord {
  readonly operationId: string;
  /** Hex SHA-256 that `operationId` is cut from; compared on a hit. */
  readonly digest: string;
  readonly scope: string;
  readonly serverName: string;
  readonly tool: string;
  /** The caller's key; absent for a call without one. */
  readonly idempotencyKey?: string;
  /** Absent when fingerprints are off for the tool. */
  readonly fingerprint?: string;
  /** Id of the call that made the latest claim. */
  readonly requestId: string;
  readonly state: OperationState;
  readonly mode: DeliveryMode;
  /** Sends made, by everybody. */
  readonly attempts: number;
  /** Sends allowed to the latest claim and to whoever takes it over. */
  readonly attemptLimit: number;
  /** Grows with each take-over. */
  readonly fence: number;
  /** End of the lease; 0 when it is free. */
  readonly leaseUntil: number;
  /** When the latest claim's deadline passes. */
  readonly deadlineAt: number;
  /** How long after `sentAt` a send may still take effect, ms: attempt timeout + grace + quiet time. */
  readonly settleWindowMs: number;
  /** Arguments as JSON text, only when the user asked to store them. */
  readonly arguments?: string;
  /** An intent: a release before this instant does not end it, and a sweep hands it over again. */
  readonly sendUntil?: number;
  readonly createdAt: number;
  readonly sentAt?: number;
  /** When it came to its present end, release included; retention counts from here. */
  readonly endedAt?: number;
  readonly outcome?: Outcome;
  /** Who ended the doubt; absent when the engine itself settled. */
  readonly resolvedBy?: string;
  /** A late answer contradicted an earlier resolution. */
  readonly contradicted: boolean;
}

const NEXT: Readonly<Record<OperationState, readonly OperationState[]>> = {
  claimed: ['claimed', 'sent', 'failed'],
  sent: ['claimed', 'sent', 'completed', 'failed', 'in_doubt'],
  completed: [],
  failed: [],
  in_doubt: ['completed', 'failed'],
};

/** Whether a record in state `from` may go to `to`. A ledger must refuse every other step. */
export function mayFollow(from: OperationState, to: OperationState): boolean {
  return NEXT[from].includes(to);
}

/** Whether a state ends the operation as far as automation goes. */
export function isTerminal(state: OperationState): state is TerminalState {
  return state === 'completed' || state === 'failed' || state === 'in_doubt';
}
