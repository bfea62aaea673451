/** Says in the ledger's own words what SQLite complains about, and what to do about it. */
import type { TxErrorCode } from '@mcp-tx/core/ledger';
import { isMcpTxError, McpTxError } from '@mcp-tx/core/ledger';

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const BUSY = 5;
const LOCKED = 6;

const CURES: Readonly<Record<number, readonly [TxErrorCode, string]>> = {
  3: ['LEDGER_UNAVAILABLE', 'this process may not open it; give it access to the file and to its folder'],
  [BUSY]: ['LEDGER_UNAVAILABLE', 'another process holds its lock; repeat the call, or raise busyTimeoutMs'],
  [LOCKED]: ['LEDGER_UNAVAILABLE', 'another process holds its lock; repeat the call, or raise busyTimeoutMs'],
  8: ['LEDGER_UNAVAILABLE', 'it is read-only; give this process the right to write the file and its folder'],
  10: ['LEDGER_UNAVAILABLE', 'the disk failed; look at the disk, then open the ledger again'],
  11: ['LEDGER_CORRUPT', 'its pages are damaged; stop all writers, keep a copy, and restore it from a backup'],
  13: ['LEDGER_UNAVAILABLE', 'the disk is full; free some space and repeat the call'],
  14: ['LEDGER_UNAVAILABLE', 'it cannot be opened; the path must name a file in a folder that exists and is writable'],
  26: ['LEDGER_CORRUPT', 'it is not an SQLite database; give another path, or move the file away'],
};

/** SQLite's primary result code, or `undefined` when the error is not SQLite's. */
function resultCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** Whether another connection holds the lock, so that waiting may help. */
export function isBusy(error: unknown): boolean {
  const code = resultCodeOf(error);
  return code === BUSY || code === LOCKED;
}

/** The error that the caller gets to see; one of our own is passed on as it is. */
export function toLedgerError(error: unknown, path: string): McpTxError {
  if (isMcpTxError(error)) return error;
  const code = resultCodeOf(error);
  const [ledgerCode, cure] = (code === undefined ? undefined : CURES[code]) ?? [
    'LEDGER_UNAVAILABLE' as const,
    `SQLite says: ${error instanceof Error ? error.message : String(error)}`,
  ];
  return new McpTxError(ledgerCode, `The ledger file ${path}: ${cure}.`, { cause: error });
}
