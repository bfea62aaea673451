/** Owns randomness: jitter and fresh ids, behind one seam that a test can seed. */
import { randomFillSync } from 'node:crypto';
import { base32, base32Digits } from './base32.ts';

/** Source of randomness. */
export interface Random {
  /** A number in [0, 1), for jitter. */
  next(): number;
  /** A fresh 128-bit id as 26 characters of base32. Unique across processes. */
  id(): string;
}

/** The machine's own randomness. An id is 80 random bits of this source, then a counter of 48 bits that begins at random. */
export function systemRandom(): Random {
  const seed = randomFillSync(new Uint8Array(16));
  const prefix = base32(seed).slice(0, 16);
  let high = ((seed[10] as number) << 12) | ((seed[11] as number) << 4); // 20 bits
  let low = ((seed[12] as number) << 18) | ((seed[13] as number) << 10) | ((seed[14] as number) << 2); // 28 bits, and 2 of padding
  return {
    next: () => Math.random(),
    id() {
      low = (low + 4) & 0x3fffffff;
      if (low === 0) high = (high + 1) & 0xfffff;
      return prefix + base32Digits(high, 2) + base32Digits(low, 3);
    },
  };
}
