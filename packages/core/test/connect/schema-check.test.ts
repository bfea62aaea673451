// A server writes the schemas that its calls and results are checked by: none of them may keep this process from its other servers.
import { describe, expect, it } from 'vitest';
import { compileSchema } from '../../src/connect/schema-check.ts';
import { isSimple } from '../../src/connect/schema-size.ts';

/** Looks at the same value 2^40 times. */
function doubling(): object {
  const steps = Array.from({ length: 40 }, (_, step) => {
    const next = { $ref: `#/$defs/s${step + 1}` };
    return [`s${step}`, { allOf: [next, next] }];
  });
  return { $defs: { ...Object.fromEntries(steps), s40: {} }, $ref: '#/$defs/s0' };
}

/** An object in an object, and so on. */
function nested(depth: number): object {
  return depth === 0 ? {} : { n: nested(depth - 1) };
}

/** The same, where paths begin at a place of its own; at the root there is something small under the same paths. */
function hidden(): object {
  const small = Object.fromEntries(Array.from({ length: 41 }, (_, step) => [`s${step}`, {}]));
  const { $ref, $defs } = doubling() as { readonly $ref: string; readonly $defs: object };
  return { $defs: small, allOf: [{ $id: 'http://x/y', $defs, allOf: [{ $ref }] }] };
}

const COMPARED = Array.from({ length: 100_000 }, (_, n) => ({ n }));
const LISTED = { items: { not: { enum: Array.from({ length: 20_000 }, (_, n) => n) } } };
const TREE = { properties: { kids: { items: { $ref: '#' } }, n: {} }, required: ['n'] };
const MODEL = { $defs: { a: { type: 'integer' } }, properties: { x: { $ref: '#/$defs/a' }, y: { $ref: '#/$defs/a' } } };

describe('a schema made to hang', () => {
  it.each([
    ['doubles what it refers to, forty times', doubling(), {}],
    ['does so where its paths mean something else', hidden(), {}],
    ['doubles itself at each level', { properties: { n: { allOf: [{ $ref: '#' }, { $ref: '#' }] } } }, nested(60)],
    ['refers to itself', { $ref: '#' }, {}],
    ['refers to itself by another name', { $dynamicRef: '#/x' }, {}],
    ['compares all members with all', { uniqueItems: true }, COMPARED],
    ['looks for each member in a long list', LISTED, Array.from({ length: 300_000 }, () => -1)],
  ])('[G:I14] says nothing when it %s, and is not asked again', (_what, schema, value) => {
    const startedAt = performance.now();
    const check = compileSchema(schema, 'they');
    expect(check).toBeDefined();
    expect(check?.(value)).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    const againAt = performance.now();
    for (let n = 0; n < 100; n += 1) expect(check?.(value)).toBeUndefined();
    expect(performance.now() - againAt).toBeLessThan(200);
  });

  it.each([
    ['nests without end', JSON.parse(`${'{"not":'.repeat(5_000)}{}${'}'.repeat(5_000)}`)],
    ['names a place that is not there', { $ref: '#/$defs/%' }],
  ])('is left out when it %s', (_what, schema) => {
    expect(compileSchema(schema, 'they')?.({})).toBeUndefined();
  });
});

describe('a schema as tools have it', () => {
  it.each([
    ['refers to itself for its members', TREE, { n: 1, kids: [{ n: 2 }, {}] }, /\/kids\/1 must have/],
    ['refers to its definitions', MODEL, { x: 1, y: 'no' }, /\/y must be integer/],
    ['wants members to differ', { uniqueItems: true }, [1, 2, 1], /must NOT have duplicate items/],
  ])('is checked when it %s', (_what, schema, value, says) => {
    expect(compileSchema(schema, 'they')?.(value)).toMatch(says);
  });

  it('needs no guard when each part of a value is looked at a few times', () => {
    expect(isSimple(MODEL)).toBe(true);
    expect(isSimple(doubling())).toBe(false);
    expect(isSimple(TREE)).toBe(false);
    expect(isSimple({ items: { $dynamicRef: '#kid' } })).toBe(false);
  });

  it('knows nothing of another one’s names', () => {
    expect(compileSchema({ $defs: { a: { $id: 'urn:a', type: 'integer' } } }, 'they')).toBeDefined();
    expect(compileSchema({ $ref: 'urn:a' }, 'they')).toBeUndefined();
  });
});
