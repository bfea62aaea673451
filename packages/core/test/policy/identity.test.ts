import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argumentsText, checkKey, fingerprintOf, identify } from '../../src/policy/identity.ts';

const limits = { maxDepth: 64, maxLength: 1_000_000 };
const fingerprint = (tool: string, args: Readonly<Record<string, unknown>>): string =>
  fingerprintOf(tool, argumentsText(args, limits));

describe('the operation id', () => {
  it('is the same everywhere: a pinned example', () => {
    expect(identify('default', 'payments', 'order:42')).toEqual({
      operationId: 'op_rmuaaevfdbddcjqpm2lzhbfw5e',
      digest: '8b280012a5184631260f66979384b6e9b076282e0242b305a84709651aa66a4f',
    });
  });

  it('[G:I7] differs for every scope, server and key, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.string(), fc.string(), fc.string()),
        fc.tuple(fc.string(), fc.string(), fc.string()),
        (a, b) => {
          const same = a.every((part, i) => part === b[i]);
          expect(identify(...a).operationId === identify(...b).operationId).toBe(same);
        },
      ),
    );
    expect(identify('a', 'bc', 'd').operationId).not.toBe(identify('ab', 'c', 'd').operationId);
  });
});

describe('a key', () => {
  it.each(['order:42', 'A', 'a', 'a ', 'é', 'e\u0301', '../x', '{slot}', "'; --", 'x'.repeat(255), '\u{1F600}'])(
    '%j is one',
    (key) => {
      expect(() => checkKey(key)).not.toThrow();
    },
  );

  it.each([
    ['', 'is empty'],
    ['x'.repeat(256), '256 characters'],
    ['a\nb', 'control'],
    ['a\0', 'control'],
    ['\u007f', 'control'],
    ['\u0085', 'control'],
    ['\ud800', 'surrogate'],
    [42, 'must be a string'],
    [null, 'not null'],
    [undefined, 'not undefined'],
  ])('%j is none', (key, says) => {
    expect(() => checkKey(key)).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID', execution: 'none', message: expect.stringContaining(says) }),
    );
  });
});

describe('the fingerprint', () => {
  it('does not depend on the order of members, and depends on everything else', () => {
    expect(fingerprint('pay', { a: 1, b: 2 })).toBe(fingerprint('pay', { b: 2, a: 1 }));
    const others = [
      fingerprint('pay', { a: 1, b: 3 }),
      fingerprint('Pay', { a: 1, b: 2 }),
      fingerprint('pay', { a: 1 }),
      fingerprint('pay', { a: '1', b: 2 }),
    ];
    expect(new Set([fingerprint('pay', { a: 1, b: 2 }), ...others]).size).toBe(5);
  });

  it('has neither collisions nor splits over random pairs', () => {
    const fits = (value: Readonly<Record<string, unknown>>): boolean => {
      try {
        return argumentsText(value, limits) !== '';
      } catch {
        return false; // an integer that no two parsers agree on
      }
    };
    const args = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }).filter(fits);
    fc.assert(
      fc.property(args, args, (a, b) => {
        const [x, y] = [argumentsText(a, limits), argumentsText(b, limits)];
        expect(fingerprintOf('t', x) === fingerprintOf('t', y)).toBe(x === y);
        const shuffled = Object.fromEntries(Object.entries(a).reverse());
        expect(fingerprint('t', shuffled)).toBe(fingerprint('t', Object.fromEntries(Object.entries(a))));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['a string', 'x'],
    ['an array', []],
    ['null', null],
  ])('%s is no argument object', (_name, args) => {
    expect(() => argumentsText(args as never, limits)).toThrow(expect.objectContaining({ code: 'ARGUMENTS_INVALID' }));
  });
});
