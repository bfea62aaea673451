/** What a user says of a ledger in a file, with every default, and the check that names a wrong field. */
import type { Clock } from '@mcp-tx/core/ledger';
import { McpTxError, systemClock } from '@mcp-tx/core/ledger';
import type { NameOptions } from '../operations/names.ts';
import { namesOf } from '../operations/names.ts';
import type { TransactionKit } from './transaction.ts';

/** Options of `sqliteLedger`. */
export interface SqliteLedgerOptions extends Pick<NameOptions, 'table'> {
  /** The store's clock; default the machine's, which all processes on it share. */
  readonly clock?: Pick<Clock, 'now'>;
  /** How long a call waits for another process's lock before it fails with `LEDGER_UNAVAILABLE`, ms. Default 5,000. */
  readonly busyTimeoutMs?: number;
  /** How long the work of a `transaction` may take, ms: nobody writes meanwhile. Default 5,000. */
  readonly transactionTimeoutMs?: number;
}

/** @throws McpTxError `CONFIG_INVALID` */
export function kitOf(path: string, options: SqliteLedgerOptions): TransactionKit {
  const { busyTimeoutMs = 5_000, transactionTimeoutMs = 5_000, clock = systemClock } = options;
  for (const [name, value] of Object.entries({ busyTimeoutMs, transactionTimeoutMs })) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new McpTxError('CONFIG_INVALID', `sqliteLedger: ${name} must be 0 or more, not ${value}`);
  }
  const names = namesOf(options.table === undefined ? {} : { table: options.table }, 'sqliteLedger');
  return { path, names, busyTimeoutMs, timeLimitMs: transactionTimeoutMs, clock };
}
