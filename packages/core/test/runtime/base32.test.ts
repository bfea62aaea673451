import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { base32, countUp, fromBase32, IdWriter } from '../../src/runtime/base32.ts';

describe('base32', () => {
  test('writes what RFC 4648 says, in lower case and without padding', () => {
    expect(base32(Buffer.from('foobarfoobarfoob'))).toBe('mzxw6ytbojtg633cmfzgm33pmi');
    expect(base32(new Uint8Array(16))).toBe('a'.repeat(26));
    expect(base32(new Uint8Array(16).fill(255))).toBe(`${'7'.repeat(25)}4`);
  });

  test('starts at the offset', () => {
    const pool = randomBytes(48);
    expect(base32(pool, 16)).toBe(base32(pool.subarray(16, 32)));
  });

  test('writes the same from hexadecimal digits, behind a prefix', () => {
    const ids = new IdWriter('op_');
    for (let n = 0; n < 1_000; n += 1) {
      const bytes = randomBytes(32);
      expect(ids.ofHex(bytes.toString('hex'))).toBe(`op_${base32(bytes)}`);
    }
  });

  test('counts up in the text itself, from the greatest to zero, and leaves what stands before', () => {
    const text = Buffer.from(base32(new Uint8Array(16).fill(255, 0, 15).fill(254, 15)), 'latin1');
    const read = (): number[] => [...(fromBase32(text.toString('latin1')) ?? [])];
    countUp(text, 16);
    expect(read()).toEqual(Array(16).fill(255));
    countUp(text, 16);
    expect(read()).toEqual([...Array(10).fill(255), ...Array(6).fill(0)]);
    for (let n = 0; n < 70_000; n += 1) countUp(text, 16);
    expect(Buffer.from(read()).readUIntBE(10, 6)).toBe(70_000);
  });

  test('is read back byte for byte', () => {
    for (let n = 0; n < 1_000; n += 1) {
      const bytes = randomBytes(16);
      expect(Buffer.from(fromBase32(base32(bytes)) ?? [])).toEqual(bytes);
    }
  });

  test.each([
    ['25 characters', 'a'.repeat(25)],
    ['27 characters', 'a'.repeat(27)],
    ['upper case', 'A'.repeat(26)],
    ['a character outside the alphabet', `${'a'.repeat(25)}1`],
    ['a line feed after it', `${'a'.repeat(26)}\n`],
    ['bits that 16 bytes do not have', `${'a'.repeat(25)}b`],
  ])('refuses %s', (_, text) => {
    expect(fromBase32(text)).toBeUndefined();
  });
});
