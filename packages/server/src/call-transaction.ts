/** Owns the one transaction in which a call of a transactional tool ends: the tool's writes and its result, or neither. */
import type { Lease, Outcome, TransactionalLedger } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import { textOf } from './answer.ts';
import { member } from './member.ts';

/** How far the transaction of a call has come. A tool whose work threw may try again. */
export type TransactionState =
  | { readonly kind: 'unused' }
  | { readonly kind: 'running'; readonly over: Promise<void> }
  | { readonly kind: 'committed' /** JSON text of the result. */; readonly text: string }
  /** The store failed; whether it committed, only it can tell. */
  | { readonly kind: 'broken'; readonly error: unknown }
  /** Another process has taken the operation over. */
  | { readonly kind: 'lost' };

/** The transaction of one call. */
export class CallTransaction {
  readonly #ledger: TransactionalLedger;
  readonly #lease: Lease;
  #state: TransactionState = { kind: 'unused' };

  constructor(ledger: TransactionalLedger, lease: Lease) {
    this.#ledger = ledger;
    this.#lease = lease;
  }

  /** What became of it, once what was begun is over: a tool may have forgotten to wait. */
  async end(): Promise<Exclude<TransactionState, { kind: 'running' }>> {
    while (this.#state.kind === 'running') await this.#state.over;
    return this.#state;
  }

  /** See `CurrentCall.transaction`. */
  async run<Db, R extends object>(work: (db: Db) => Promise<R> | R): Promise<R> {
    this.#refuseUnlessUnused();
    const { promise: over, resolve: markOver } = Promise.withResolvers<void>();
    this.#state = { kind: 'running', over };
    let text = '';
    let result: R | undefined;
    let threw: { readonly error: unknown } | undefined;
    const end = async (db: unknown): Promise<Outcome> => {
      try {
        result = await work(db as Db);
        text = finalText(result);
        return { state: 'completed', result: text, exactlyOnce: true };
      } catch (error) {
        threw = { error };
        throw error;
      }
    };
    try {
      const isHeld = await this.#ledger.transaction(this.#lease, end);
      this.#state = isHeld ? { kind: 'committed', text } : { kind: 'lost' };
    } catch (error) {
      const isOfWork = threw !== undefined && threw.error === error;
      this.#state = isOfWork ? { kind: 'unused' } : { kind: 'broken', error };
      throw error;
    } finally {
      markOver();
    }
    if (result !== undefined) return result;
    throw new McpTxError('IN_PROGRESS', 'another process has taken this operation over; nothing was written');
  }

  #refuseUnlessUnused(): void {
    const { kind } = this.#state;
    if (kind === 'unused') return;
    const why = kind === 'running' ? 'its transaction is under way' : 'its transaction is over';
    throw new McpTxError('CALL_INVALID', `a call ends in one transaction, and ${why}`, { execution: 'unknown' });
  }
}

/** @throws TypeError from what cannot be the end of a call */
function finalText(result: unknown): string {
  if (typeof result !== 'object' || result === null)
    throw new TypeError('a transaction has to return the tool’s result');
  const resultType = member(result, 'resultType');
  if (member(result, 'task') !== undefined || (resultType !== undefined && resultType !== 'complete'))
    throw new TypeError('a transaction has to return a result that is final: no task, no request for input');
  return textOf(result);
}
