// DESIGN 3.1: what two callers mean decides whether their texts are equal: not the order of members, and not where a part is cut.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argumentsText, fingerprintOf, identify } from '../../src/policy/identity.ts';
import { Branches, races } from '../support/race.ts';

type Arguments = Readonly<Record<string, unknown>>;

const write = (args: Arguments): string => argumentsText(args, { maxDepth: 64, maxLength: 1_000_000 });

/** Integers beyond 2^53 - 1 are refused, so none is drawn; -0 is the same JSON as 0. */
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((value) => (value === 0 ? 0 : value)),
);
const name = fc.oneof(
  fc.constantFrom('a', 'b', '1', '10', '9', '', '__proto__', 'é'),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    number,
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map(objectOf),
}));
const args = fc.array(fc.tuple(name, json), { minLength: 1, maxLength: 4 }).map(objectOf);

/** Own members only, whatever they are called. */
function objectOf(members: readonly (readonly [string, unknown])[]): Arguments {
  const made = {};
  for (const [key, value] of members)
    Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
  return made;
}

/** The same value with the members of every object the other way round, at each depth. */
function turnedRound(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turnedRound);
  if (typeof value !== 'object' || value === null) return value;
  return objectOf(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, turnedRound(member)] as const),
  );
}

describe('the canonical text of arguments', () => {
  it('says the value, and nothing of the order in which it was written', () => {
    const branches = new Branches<'another order' | 'the order as it was' | 'nested'>(
      'another order',
      'the order as it was',
      'nested',
    );
    fc.assert(
      fc.property(args, (drawn) => {
        const text = write(drawn);
        const other = turnedRound(drawn) as Arguments;
        expect(write(other)).toBe(text);
        expect(write(JSON.parse(text) as Arguments)).toBe(text);
        expect(JSON.parse(text)).toEqual(drawn);
        expect(fingerprintOf('pay', write(other))).toBe(fingerprintOf('pay', text));
        const isSame = JSON.stringify(other) === JSON.stringify(drawn);
        branches.saw(isSame ? 'the order as it was' : 'another order');
        branches.saw(
          'nested',
          Object.values(drawn).some((value) => typeof value === 'object' && value !== null),
        );
      }),
      races(1_500),
    );
    branches.expectAll();
  });

  it('differs wherever one value differs', () => {
    const branches = new Branches<'equal' | 'different'>('equal', 'different');
    fc.assert(
      fc.property(args, name, json, json, (drawn, key, one, two) => {
        const [a, b] = [one, two].map((value) => objectOf([...Object.entries(drawn), [key, value]])) as [
          Arguments,
          Arguments,
        ];
        const isEqual = isDeepStrictEqual(one, two); // knows nothing of order
        branches.saw(isEqual ? 'equal' : 'different');
        expect(write(a) === write(b)).toBe(isEqual);
        expect(fingerprintOf('pay', write(a)) === fingerprintOf('pay', write(b))).toBe(isEqual);
      }),
      races(1_500),
    );
    branches.expectAll();
  });
});

describe('the operation id', () => {
  /** Few letters, those among them that a length prefix is made of: other cuts of one text are then likely. */
  const text = fc.string({ unit: fc.constantFrom('1', '2', ':', ';', 'a'), minLength: 0, maxLength: 8 });
  const cut = fc.tuple(fc.nat(8), fc.nat(8));

  it('[G:I7] is another one for every other cut of the same text into scope, server and key', () => {
    const branches = new Branches<'the same cut' | 'another cut'>('the same cut', 'another cut');
    fc.assert(
      fc.property(text, cut, cut, (whole, one, two) => {
        const [a, b] = [partsOf(whole, one), partsOf(whole, two)];
        const isSame = a.every((part, i) => part === b[i]);
        branches.saw(isSame ? 'the same cut' : 'another cut');
        expect(identify(...a).operationId === identify(...b).operationId).toBe(isSame);
        expect(identify(...a).digest === identify(...b).digest).toBe(isSame);
      }),
      races(3_000),
    );
    branches.expectAll();
  });
});

function partsOf(whole: string, [first, second]: readonly [number, number]): [string, string, string] {
  const [from, to] = first < second ? [first, second] : [second, first];
  return [whole.slice(0, from), whole.slice(from, to), whole.slice(to)];
}
