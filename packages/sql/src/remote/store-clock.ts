/** The clock that leases are judged by: the server's own, or one that stands for it in a test. */
import type { Clock } from '@mcp-tx/core/ledger';

/** A clock in the place of the server's. */
export type StoreClock = Pick<Clock, 'now'>;
