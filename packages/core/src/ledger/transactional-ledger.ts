/** The part of the storage contract for stores that can hold a tool's own data, too: effect and record as one step. */
import type { Outcome } from '../outcome/outcome.ts';
import type { Lease, Ledger } from './ledger.ts';

/** A ledger whose store can commit what a tool writes together with the end of its operation. `Db`: what the store gives to write with. */
export interface TransactionalLedger<Db = unknown> extends Ledger {
  /**
   * Ends an operation with the outcome that `work` resolves with. What `work` writes through `db` is committed in the same
   * transaction: both are stored, or neither. The operation goes from `claimed` to its end, and counts one more attempt; one
   * that is `sent` already only ends. `db` is dead as soon as this settles.
   *
   * `false`: the lease was lost, or the attempts are used up; `work` was not begun. From the moment that it is, nobody takes
   * the operation over before the transaction has ended.
   *
   * @throws what `work` threw, with nothing stored; McpTxError `LEDGER_UNAVAILABLE` when the store failed: whether it committed,
   * `find` tells. `CONFIG_INVALID` when this store cannot do it.
   */
  transaction(lease: Lease, work: (db: Db) => Promise<Outcome>): Promise<boolean>;
}

/** Whether a ledger can commit a tool's own writes. */
export function isTransactionalLedger(ledger: Ledger): ledger is TransactionalLedger {
  return 'transaction' in ledger && typeof ledger.transaction === 'function';
}
