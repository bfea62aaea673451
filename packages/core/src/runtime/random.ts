/** Owns randomness: jitter and fresh ids, behind one seam that a test can seed. */
import { randomFillSync } from 'node:crypto';
import { base32 } from './base32.ts';

/** Source of randomness. */
export interface Random {
  /** A number in [0, 1), for jitter. */
  next(): number;
  /** A fresh 128-bit id as 26 characters of base32. Unique across processes. */
  id(): string;
}

const ID_BYTES = 16;
const POOL_BYTES = ID_BYTES * 256;

/** The machine's own randomness; entropy for ids is drawn in blocks of 256 ids. */
export function systemRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let offset = POOL_BYTES;
  return {
    next: () => Math.random(),
    id() {
      if (offset === POOL_BYTES) {
        randomFillSync(pool);
        offset = 0;
      }
      offset += ID_BYTES;
      return base32(pool, offset - ID_BYTES);
    },
  };
}
