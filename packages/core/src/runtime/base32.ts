/** Writes 128 bits as 26 characters: RFC 4648 base32 in lower case, without padding. */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const PAIRS: readonly string[] = Array.from({ length: 1024 }, (_, n) => `${ALPHABET[n >> 5]}${ALPHABET[n & 31]}`);

/** Encodes the 16 bytes of `bytes` that start at `offset`. */
export function base32(bytes: Uint8Array, offset = 0): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (let i = offset; i < offset + 16; i += 1) {
    held = (held << 8) | (bytes[i] as number);
    bits += 8;
    if (bits >= 10) {
      bits -= 10;
      text += PAIRS[(held >> bits) & 1023];
      held &= (1 << bits) - 1;
    }
  }
  const last = held << (10 - bits); // 8 bits are left; 128 = 12 * 10 + 8
  return text + (PAIRS[last & 1023] as string);
}

/** Encodes the first 128 bits that `hex` stands for, in lower case. */
export function base32OfHex(hex: string): string {
  let text = '';
  for (let at = 0; at < 30; at += 5) {
    const bits = nibbles(hex, at, 5);
    text += `${PAIRS[bits >> 10]}${PAIRS[bits & 1023]}`;
  }
  return text + (PAIRS[nibbles(hex, 30, 2) << 2] as string);
}

function nibbles(hex: string, from: number, count: number): number {
  let bits = 0;
  for (let at = from; at < from + count; at += 1) {
    const code = hex.charCodeAt(at);
    bits = (bits << 4) | (code < 58 ? code - 48 : code - 87); // 0 to 9, a to f
  }
  return bits;
}

/** Adds one to the number that the characters of an encoded text from `from` on stand for. After the greatest comes zero. */
export function countUp(text: Uint8Array, from: number): void {
  let step = 4; // the last character ends in 2 bits of padding
  for (let at = text.length - 1; at >= from; at -= 1) {
    const code = text[at] as number;
    const value = (code < 97 ? code - 24 : code - 97) + step; // 2 to 7 follow a to z
    text[at] = ALPHABET.charCodeAt(value & 31);
    if (value < 32) return;
    step = 1;
  }
}

/** Reads what {@link base32} wrote, and nothing else: no two texts give the same bytes. `undefined` for any other text. */
export function fromBase32(text: string): Uint8Array | undefined {
  if (!/^[a-z2-7]{25}[aeimquy4]$/.test(text)) return undefined; // the last character carries 3 bits only
  const bytes = new Uint8Array(16);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of text) {
    held = (held << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits >= 8 && at < 16) {
      bits -= 8;
      bytes[at] = (held >> bits) & 255;
      at += 1;
      held &= (1 << bits) - 1;
    }
  }
  return bytes;
}
