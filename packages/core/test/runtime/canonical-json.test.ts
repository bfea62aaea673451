import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, JsonDefectError } from '../../src/runtime/canonical-json.ts';

const limits = { maxDepth: 64, maxLength: 1_000_000 };
const write = (value: unknown): string => canonicalJson(value, limits);
const defectOf = (value: unknown, within = limits): string => {
  try {
    canonicalJson(value, within);
  } catch (error) {
    if (error instanceof JsonDefectError) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('the canonical form', () => {
  it('is RFC 8785, whether the members come in order or not', () => {
    expect(write({ b: [1, 'x', null, true], a: { d: 1.5, c: -0 } })).toBe(
      '{"a":{"c":0,"d":1.5},"b":[1,"x",null,true]}',
    );
    expect(write({ '10': 1, '9': 2 })).toBe('{"10":1,"9":2}'); // by code units, not as the numbers that JavaScript sorts by
    expect(write({ '€': 1, '\r': 2, '1': 3, '\u{1F600}': 4, '\uFB33': 5 })).toBe(
      '{"\\r":2,"1":3,"€":1,"\u{1F600}":4,"\uFB33":5}',
    );
  });

  it('agrees with the library of the RFC’s author on every value, sorted or not', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        fc.pre(defectOf({ value }) === 'accepted');
        expect(write({ value })).toBe(canonicalize({ value }));
        expect(write(JSON.parse(write({ value })))).toBe(write({ value }));
      }),
    );
  });

  it('keeps own members named like parts of the language', () => {
    const sly = JSON.parse('{"__proto__":{"to":"mallory"},"t":1}') as object;
    expect(write(sly)).toBe('{"__proto__":{"to":"mallory"},"t":1}');
    expect(write({ t: 1 })).not.toBe(write(sly));
    expect(write({ constructor: { prototype: 1 } })).toContain('prototype');
  });

  it('takes undefined members for absent, as JSON.stringify does', () => {
    expect(write({ b: undefined, a: 1 })).toBe('{"a":1}');
  });
});

describe('what is refused, and where', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  let deep: unknown = 1;
  for (let n = 0; n < 100_000; n += 1) deep = [deep];
  it.each([
    ['a cycle', cycle, /cyclic or nested deeper than 64/],
    ['100,000 levels', deep, /nested deeper than 64/],
    ['a BigInt', { a: [1n] }, /^\$\.a\[0\]: is a bigint/],
    ['NaN', { a: Number.NaN }, /^\$\.a: is NaN/],
    ['infinity', [Number.POSITIVE_INFINITY], /^\$\[0\]: is Infinity/],
    ['2^53 + 1', { n: 2 ** 53 + 2 }, /beyond 2\^53/],
    ['a lone surrogate', { s: '\ud800' }, /lone surrogate/],
    ['a lone surrogate in a name', { '\udc00': 1 }, /lone surrogate in its name/],
    ['a function', { f: () => 1 }, /is a function/],
    ['a symbol', { s: Symbol('x') }, /is a symbol/],
    ['undefined in an array', [undefined], /is undefined/],
    ['a hole', Array(2), /is undefined/],
    ['a Date', { at: new Date(0) }, /is a Date, not a plain object/],
    ['a Map', new Map(), /is a Map/],
  ])('%s', (_name, value, message) => {
    expect(defectOf(value)).toMatch(message);
  });

  it('more text, or more values, than allowed; at once, not after reading them all', () => {
    expect(defectOf({ s: 'x'.repeat(100) }, { maxDepth: 64, maxLength: 50 })).toMatch(/longer than 50/);
    const startedAt = performance.now();
    expect(defectOf(new Array(10_000_000).fill(0), { maxDepth: 64, maxLength: 1_000 })).toMatch(
      /more than 1000 values/,
    );
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('accepts large floats, which print with an exponent, and objects of another realm', () => {
    expect(write([1e21, 1.5e300])).toBe('[1e+21,1.5e+300]');
    expect(write(Object.assign(Object.create(null) as object, { a: 1 }))).toBe('{"a":1}');
  });
});
