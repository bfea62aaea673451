/** What the callers of an operation learn of its end, before it is put into the words of the public API. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { Outcome } from '../outcome/outcome.ts';
import type { TxErrorCode, TxErrorDetails } from '../outcome/tx-error.ts';

/** The operation ended, and this is how. */
export interface EndedWith {
  readonly kind: 'ended';
  readonly outcome: Outcome;
  /** The SDK's own object, where nothing was recorded and so nobody else can get it. */
  readonly object?: object | undefined;
  readonly attempts: number;
  readonly mode: DeliveryMode;
  /** The answer is a stored one. */
  readonly duplicate: boolean;
  readonly recorded: boolean;
  readonly resolvedBy?: string | undefined;
}

/** Nothing was sent, or nothing ran. Each caller gets an error of its own, with this in it. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: TxErrorCode;
  readonly message: string;
  readonly details: TxErrorDetails;
  readonly attempts: number;
}

/** What a caller learns of an operation. */
export type FlightEnd =
  | EndedWith
  | Refused
  /** The caller stopped waiting while a send was unanswered; the engine listens on. */
  | {
      readonly kind: 'detached';
      readonly reason: StopReason;
      readonly attempts: number;
      readonly mayHaveRun: boolean;
      /** Somebody else may have driven the operation, and the ledger has not said how it stands. */
      readonly othersUnknown: boolean;
    };

/** Details of an error of a call that did nothing itself, when the ledger has not said what became of its key before. */
export const RECORD_UNKNOWN = { execution: 'unknown', retryable: true, reason: 'record-unknown' } as const;

/** A {@link Refused}. */
export function refused(code: TxErrorCode, message: string, details: TxErrorDetails = {}, attempts = 0): Refused {
  return { kind: 'refused', code, message, details, attempts };
}

/** Why a caller stopped waiting. */
export type StopReason = 'timeout' | 'aborted' | 'shutdown';
