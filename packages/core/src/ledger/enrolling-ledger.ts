/** The part of the storage contract for stores that share transactions with their users: an intent is committed with a business row. */
import type { Claim, ClaimRequest, Ledger } from './ledger.ts';

/** A ledger in whose store a user has transactions of his own. `Transaction`: what the ledger takes for one. */
export interface EnrollingLedger<Transaction = unknown> extends Ledger {
  /**
   * Writes an intent inside `transaction`, which is the caller's to commit or to roll back; nothing is written outside of it. The
   * record is `claimed` with a lease that nobody holds and that has run out, so that `sweep` hands it to whoever can send it.
   * Until its time is over (`sendUntil`), a release does not end it: `sweep` hands it over again, after a pause as long as the
   * lease that was given back, and until then anybody with the key may claim it.
   *
   * What is there already stays, and is told; where it is not at its end, it becomes an intent, too.
   */
  enroll(transaction: Transaction, request: EnrollRequest): Promise<Enrollment>;
}

/** What a record of an intent is made of. */
export interface EnrollRequest
  extends Pick<ClaimRequest, 'operationId' | 'digest' | 'scope' | 'serverName' | 'tool' | 'requestId' | 'retentionMs'> {
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  readonly arguments: string;
  /** How long it may be sent, ms from now by the store's clock. */
  readonly sendWithinMs: number;
}

/** Answer to an enrolment. `known`: the operation was there, and will be sent or is under way. */
export type Enrollment =
  | { readonly kind: 'enrolled' | 'known' }
  | Extract<Claim, { kind: 'replay' | 'in_doubt' | 'conflict' | 'expired' }>;

/** Whether a ledger takes intents. */
export function isEnrollingLedger(ledger: Ledger): ledger is EnrollingLedger {
  return 'enroll' in ledger && typeof ledger.enroll === 'function';
}
