/** Owns randomness: jitter and fresh ids, behind one seam that a test can seed. */
import { randomFillSync } from 'node:crypto';
import { base32, countUp } from './base32.ts';

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
  // Read out of one buffer, an id is one piece of text. Put together with `+` it stays a tree of five until somebody needs it flat.
  const text = Buffer.from(base32(seed), 'latin1');
  return {
    next: () => Math.random(),
    id() {
      countUp(text, 16);
      return text.toString('latin1');
    },
  };
}
