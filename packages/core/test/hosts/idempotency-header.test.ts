import { describe, expect, it } from 'vitest';
import { parseIdempotencyKey } from '../../src/http.ts';

describe('the Idempotency-Key header', () => {
  it.each([
    ['"abc"', 'abc'],
    ['abc', 'abc'],
    ['  abc  ', 'abc'],
    ['"a, b"', 'a, b'],
    ['"a "', 'a '],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ['order:42', 'order:42'],
    ['a:*{tag}../', 'a:*{tag}../'],
    ["'; DROP TABLE operations", undefined],
    [`"'; DROP TABLE operations"`, "'; DROP TABLE operations"],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
  ])('%j is the key %j', (raw, key) => {
    if (key === undefined) expect(() => parseIdempotencyKey(raw)).toThrow(/printable ASCII/);
    else expect(parseIdempotencyKey(raw)).toBe(key);
  });

  it.each([
    ['', 'nothing'],
    ['   ', 'spaces'],
    ['""', 'an empty string'],
    ['" "', 'a string of spaces'],
    ['x'.repeat(256), '256 characters'],
    [`"${'x'.repeat(256)}"`, '256 characters in quotes'],
    ['x'.repeat(1_000_000), 'a million characters'],
    ['a, b', 'a list'],
    ['"a", "b"', 'a list of strings'],
    ['"a', 'a quote that does not end'],
    ['a"b', 'a quote inside'],
    ['"a\\nb"', 'an unknown escape'],
    ['"a";v=1', 'parameters'],
    ['a b', 'a space inside'],
    ['é', 'é'],
    ['"é"', 'é in quotes'],
    ['e\u0301', 'é in two parts'],
    ['\u{1f600}', 'an emoji'],
    ['a\tb', 'a tab'],
    ['"a\u0000b"', 'NUL'],
    ['a\r\nb', 'a line break'],
    ['\u007f', 'DEL'],
  ])('%j is no key: %s', (raw) => {
    expect(() => parseIdempotencyKey(raw)).toThrow(expect.objectContaining({ code: 'KEY_INVALID', execution: 'none' }));
  });

  it('is absent when it is absent', () => {
    expect([parseIdempotencyKey(undefined), parseIdempotencyKey(null)]).toEqual([undefined, undefined]);
  });

  it('two headers are no key, one in an array is', () => {
    expect(() => parseIdempotencyKey(['a', 'a'])).toThrow(/once/);
    expect(parseIdempotencyKey(['a'])).toBe('a');
  });

  it('strict takes the quoted form only', () => {
    expect(parseIdempotencyKey('"abc"', { strict: true })).toBe('abc');
    expect(() => parseIdempotencyKey('abc', { strict: true })).toThrow(/quotes/);
  });
});
