/** Decides how a call of a transactional tool ends: what is answered is what stands in the store, and nothing else. */
import type { Lease, Ledger, Outcome, TransactionalLedger } from '@mcp-tx/core/ledger';
import { isMcpTxError, isTerminal } from '@mcp-tx/core/ledger';
import type { End } from './answer.ts';
import { silentError } from './answer.ts';
import type { CallTransaction } from './call-transaction.ts';
import type { ToolEnd } from './run-tool.ts';
import { endOfRecord, refusal } from './stored-end.ts';

/** What ending needs. */
export interface TransactionalKit {
  readonly ledger: TransactionalLedger;
  readonly lease: Lease;
  /** Sends that the record counts without this one. */
  readonly attempts: number;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

const SAYS_AGAIN = 'nothing has happened yet; ask again';

/** Never rejects. */
export async function endTransactional(
  kit: TransactionalKit,
  transaction: CallTransaction,
  tool: ToolEnd,
): Promise<End> {
  try {
    const state = await transaction.end();
    if (state.kind === 'committed') return committed(kit, state.text, tool);
    if (state.kind === 'unused') return await store(kit, endUnwritten(tool));
    return await endAsStored(kit, state.kind === 'broken' ? state.error : undefined);
  } catch (error) {
    return endAsStored(kit, error);
  }
}

function committed({ now, onError }: TransactionalKit, text: string, { answer }: ToolEnd): End {
  if (answer.kind !== 'result' || answer.text !== text)
    onError(new Error('what a tool says after its transaction is not told to anybody: the committed result is'));
  return { kind: 'result', text, storedAt: now(), exactlyOnce: true };
}

/** The tool has written nothing. So a throw proves that nothing happened, and so does what came of a cancellation. */
function endUnwritten({ outcome, answer }: ToolEnd): ToolEnd {
  if (outcome === 'released' || outcome.state === 'failed') return { outcome, answer };
  if (outcome.state === 'completed' && outcome.result !== undefined)
    return { outcome: { ...outcome, exactlyOnce: true }, answer };
  if (outcome.state === 'in_doubt' && outcome.reason === 'aborted')
    return { outcome: 'released', answer: refusal('in-progress', SAYS_AGAIN, { retryAfterMs: 0 }) };
  if (outcome.state !== 'in_doubt' || answer.kind !== 'refusal') return { outcome, answer }; // a task: it goes on elsewhere
  const { says, error } = answer.refusal;
  const stored = { state: 'failed', error: { code: 'NOT_EXECUTED', message: says } } as const;
  return { outcome: stored, answer: refusal('not-executed', says, error === undefined ? {} : { error }) };
}

async function store(kit: TransactionalKit, { outcome, answer }: ToolEnd): Promise<End> {
  const { ledger, lease, attempts } = kit;
  const isStored =
    outcome === 'released'
      ? await ledger.release(lease, { attempts, hold: false })
      : await ledger.transaction(lease, async () => outcome);
  if (!isStored) return endAsStored(kit, undefined);
  if (answer.kind !== 'result') return answer;
  return { ...answer, storedAt: kit.now(), exactlyOnce: true };
}

/** The lease was lost, or the store failed: only the record tells. */
async function endAsStored(kit: TransactionalKit, error: unknown): Promise<End> {
  const { ledger, lease, attempts, onError } = kit;
  if (error !== undefined) onError(error);
  try {
    if (isMcpTxError(error) && error.code === 'INTERNAL') await giveUp(ledger, lease, attempts);
    else if (error !== undefined) await ledger.release(lease, { attempts, hold: false });
    const record = await ledger.find(lease.operationId);
    if (record !== undefined && isTerminal(record.state)) return endOfRecord(record);
    if (record !== undefined && record.fence !== lease.fence)
      return refusal('in-progress', 'this operation is under way elsewhere', { retryAfterMs: 0 });
  } catch (failure) {
    onError(failure);
  }
  return { kind: 'error', error: silentError('the server could not store how this ended; ask again', error) };
}

/** The transaction was ended behind our back: its effect may stand, and the record does not. */
async function giveUp(ledger: Ledger, lease: Lease, attempts: number): Promise<void> {
  const doubt: Outcome = { state: 'in_doubt', reason: 'server-error' };
  await ledger.markSent(lease, attempts + 1);
  await ledger.settle(lease, doubt);
}
