// What a worker is told, and what it tells back, line by line.

import type { StoreAddress } from './store.ts';

/** The job of a worker: call `pay` once for each operation, by its key. */
export interface Job {
  readonly store: StoreAddress;
  readonly server: {
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
  readonly operations: number;
  /** The first operation to ask for; those before it have an answer. */
  readonly from?: number;
  readonly concurrency: number;
}

/** The key, and the order, of operation number n. */
export function orderOf(n: number): string {
  return `order-${n}`;
}

/** The waits of a worker are short, so that a run of forty kills takes a minute and not an hour. */
export const TIMES = { timeoutMs: 20_000, leaseMs: 1_000, settleGraceMs: 200, quietMs: 50 } as const;
