/** Writes 128 bits as 26 characters: RFC 4648 base32 in lower case, without padding. */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CODES = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));

/**
 * Writes ids: a prefix, and 128 bits behind it. Each is read out of one buffer, and so is one piece of text. Put together with `+`,
 * it would stay a tree of pieces, several times as large, for as long as somebody keeps it.
 */
export class IdWriter {
  readonly #text: Buffer;
  readonly #from: number;

  constructor(prefix: string) {
    this.#text = Buffer.from(prefix + ALPHABET.slice(0, 26), 'latin1');
    this.#from = prefix.length;
  }

  /** The first 128 bits that `hex` stands for, in lower case. */
  ofHex(hex: string): string {
    for (let piece = 0; piece < 6; piece += 1) this.#put(piece, nibbles(hex, 5 * piece, 5));
    return this.#end(nibbles(hex, 30, 2));
  }

  /** The 16 bytes that start at `offset`. */
  ofBytes(bytes: Uint8Array, offset: number): string {
    for (let piece = 0; piece < 6; piece += 1) {
      const first = offset + ((5 * piece) >> 1); // each piece is two and a half bytes
      const three =
        ((bytes[first] as number) << 16) | ((bytes[first + 1] as number) << 8) | (bytes[first + 2] as number);
      this.#put(piece, (piece & 1) === 0 ? three >> 4 : three & 0xfffff);
    }
    return this.#end(bytes[offset + 15] as number);
  }

  /** Four characters for 20 bits. */
  #put(piece: number, bits: number): void {
    const text = this.#text;
    const at = this.#from + 4 * piece;
    text[at] = CODES[bits >> 15] as number;
    text[at + 1] = CODES[(bits >> 10) & 31] as number;
    text[at + 2] = CODES[(bits >> 5) & 31] as number;
    text[at + 3] = CODES[bits & 31] as number;
  }

  /** Two characters for the last byte: 8 bits, and 2 of padding. */
  #end(byte: number): string {
    this.#text[this.#from + 24] = CODES[byte >> 3] as number;
    this.#text[this.#from + 25] = CODES[(byte << 2) & 31] as number;
    return this.#text.toString('latin1');
  }
}

const BARE = new IdWriter('');

/** Encodes the 16 bytes of `bytes` that start at `offset`. */
export function base32(bytes: Uint8Array, offset = 0): string {
  return BARE.ofBytes(bytes, offset);
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
