/** Says in the ledger's own codes what went wrong at the server. */
import { isMcpTxError, McpTxError } from '@mcp-tx/core/ledger';

/** The store is behind what this process has seen in it. */
export class LostWritesError extends Error {
  constructor(head: string) {
    super(`the counter of ${head} has run backwards`);
    this.name = 'LostWritesError';
  }
}

/** `field`: what of the record is not what it should be. */
export function corruptRecord(operationId: string, field: string): McpTxError {
  const what = `The record of ${operationId} in Redis cannot be read: its ${field} is not what it should be`;
  return new McpTxError('LEDGER_CORRUPT', `${what}. Restore the ledger from a backup.`, { operationId });
}

/** `step`: what was asked of the server. */
export function toLedgerError(error: unknown, step: string): McpTxError {
  if (isMcpTxError(error)) return error;
  if (error instanceof LostWritesError) {
    const what = 'The ledger in Redis has lost writes that this process has seen: a failover, a flush, or a cut file';
    const cure =
      'Nothing is sent any more. Look at what ran since, then start the process again to go on with what is left.';
    return new McpTxError('LEDGER_CORRUPT', `${what}. ${cure}`, { cause: error });
  }
  const words = error instanceof Error ? error.message : String(error);
  const [, corrupt] = /CORRUPT (\S+)/.exec(words) ?? [];
  if (corrupt !== undefined) return corruptRecord(corrupt, 'text');
  if (step === 'claim' && words.includes('OOM ')) {
    const cure = 'purge, shorten retentionMs, or raise maxmemory';
    return new McpTxError('LEDGER_FULL', `Redis has no memory left for another record: ${cure}.`, { cause: error });
  }
  return new McpTxError('LEDGER_UNAVAILABLE', `The ledger in Redis did not answer: ${words}`, { cause: error });
}
