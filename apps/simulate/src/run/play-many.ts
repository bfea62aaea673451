// Plays many histories on all cores, and tells how far it is.
import { availableParallelism } from 'node:os';
import type { Tally } from './tally.ts';
import { add, emptyTally } from './tally.ts';
import { Worker } from './worker-pool.ts';

const CHUNK = 200;

/** What to play. `isOver` ends it early, between two chunks. */
export interface Range {
  readonly first: number;
  readonly count: number;
  readonly isOver: (sofar: Tally) => boolean;
  readonly onProgress: (sofar: Tally) => void;
}

/** Plays a range. */
export async function playMany({ first, count, isOver, onProgress }: Range): Promise<Tally> {
  const total = emptyTally();
  let next = 0;
  const lane = async (): Promise<void> => {
    const worker = new Worker();
    try {
      while (next < count && !isOver(total)) {
        const from = next;
        const size = Math.min(CHUNK, count - from);
        next += size;
        const task = { kind: 'histories', first: (first + from) >>> 0, count: size, stopAtFailure: false } as const;
        add(total, await worker.do(task));
        onProgress(total);
      }
    } finally {
      worker.close();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(availableParallelism(), 8)) }, lane));
  return total;
}
