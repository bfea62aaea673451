/** Keeps of a digest only what the operation's id does not say: the id is the first half of it, in base32. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const PREFIX = 'op_';
/** 128 bits in base64url. */
const HALF_LENGTH = 22;

/** A digest that the id was not cut from is kept whole. */
export function keptDigest(operationId: string, digest: string): string {
  const half = Buffer.from(digest.slice(32), 'hex').toString('base64url');
  return half.length === HALF_LENGTH && wholeDigest(operationId, half) === digest ? half : digest;
}

/** The digest again. */
export function wholeDigest(operationId: string, kept: string): string {
  if (kept.length !== HALF_LENGTH) return kept;
  return firstHalf(operationId) + Buffer.from(kept, 'base64url').toString('hex');
}

function firstHalf(operationId: string): string {
  let [hex, bits, count] = ['', 0, 0];
  for (let at = PREFIX.length; at < operationId.length; at += 1) {
    bits = ((bits & 15) << 5) | LETTERS.indexOf(operationId[at] ?? '');
    for (count += 5; count >= 4; count -= 4) hex += ((bits >> (count - 4)) & 15).toString(16);
  }
  return hex.slice(0, 32);
}
