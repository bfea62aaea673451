import { describe, expect, it } from 'vitest';
import { isMcpTxError, TX_ERRORS } from '../../src/index.ts';
import { instance } from '../support/instance.ts';

describe('a call that cannot be meant gets a typed error, sends nothing and records nothing', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  let deep: Record<string, unknown> = {};
  for (let n = 0; n < 100_000; n += 1) deep = { deep };
  const huge = { text: 'x'.repeat(1_100_000) };

  it.each([
    ['no tool name', '', {}, {}, 'CALL_INVALID'],
    ['a tool name that is no string', 7 as never, {}, {}, 'CALL_INVALID'],
    ['an unknown tool', 'refund', {}, {}, 'TOOL_NOT_FOUND'],
    ['a tool in another case', 'Pay', {}, {}, 'TOOL_NOT_FOUND'],
    ['a tool named like a part of the language', '__proto__', {}, {}, 'TOOL_NOT_FOUND'],
    ['an empty key', 'pay', {}, { idempotencyKey: '' }, 'KEY_INVALID'],
    ['a key of 256 characters', 'pay', {}, { idempotencyKey: 'x'.repeat(256) }, 'KEY_INVALID'],
    ['a key with control characters', 'pay', {}, { idempotencyKey: 'a\r\nb' }, 'KEY_INVALID'],
    ['a key that is no string', 'pay', {}, { idempotencyKey: 7 as never }, 'KEY_INVALID'],
    ['an unknown option', 'pay', {}, { idempotency_key: 'x' } as never, 'CALL_INVALID'],
    ['a timeout of zero', 'pay', {}, { timeoutMs: 0 }, 'CALL_INVALID'],
    ['a signal that is none', 'pay', {}, { signal: 'x' as never }, 'CALL_INVALID'],
    ['cyclic arguments', 'pay', cycle, {}, 'ARGUMENTS_INVALID'],
    ['arguments 100,000 deep', 'pay', deep, {}, 'ARGUMENTS_INVALID'],
    ['a BigInt', 'pay', { n: 1n }, {}, 'ARGUMENTS_INVALID'],
    ['NaN', 'pay', { n: Number.NaN }, {}, 'ARGUMENTS_INVALID'],
    ['2^53 + 1', 'pay', { n: 2 ** 53 + 2 }, {}, 'ARGUMENTS_INVALID'],
    ['a lone surrogate', 'pay', { s: '\ud800' }, {}, 'ARGUMENTS_INVALID'],
    ['more than a mebi of text', 'pay', huge, {}, 'ARGUMENTS_INVALID'],
    ['arguments that are an array', 'pay', [] as never, {}, 'ARGUMENTS_INVALID'],
  ])('%s', async (_what, tool, args, options, code) => {
    const { tx, server, ledger } = await instance();
    const outcome = await tx.tryCallTool(tool, args, options);
    expect(outcome).toMatchObject({ ok: false, error: { code, execution: 'none', retryable: false } });
    expect(isMcpTxError(outcome.ok ? undefined : outcome.error)).toBe(true);
    expect(server.sends).toHaveLength(0);
    expect((await ledger.list({})).records).toHaveLength(0);
  });

  it('own members named __proto__ are data', async () => {
    const { tx, server } = await instance();
    const sly = JSON.parse('{"__proto__":{"polluted":true},"a":1}') as Record<string, unknown>;
    await tx.callTool('pay', sly, { idempotencyKey: 'k' });
    expect(JSON.stringify(server.sends[0]?.arguments)).toContain('"__proto__"');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(await tx.tryCallTool('pay', { a: 1 }, { idempotencyKey: 'k' })).toMatchObject({
      ok: false,
      error: { code: 'KEY_CONFLICT' },
    });
  });

  it('a result that carries __proto__ changes no prototype', async () => {
    const result = JSON.parse('{"content":[],"__proto__":{"structured":"evil"}}') as object;
    const { tx } = await instance([{ runs: true, ends: { frame: 'result', result } }]);
    const answer = await tx.callTool('pay', {}, { idempotencyKey: 'k' });
    expect(answer.result.structured).toBeUndefined();
  });

  it('a key is refused where nothing could remember it', async () => {
    const { tx } = await instance([], { ledger: false });
    expect(await tx.tryCallTool('pay', {}, { idempotencyKey: 'k' })).toMatchObject({
      ok: false,
      error: { code: 'CALL_INVALID' },
    });
    expect((await tx.callTool('pay')).meta).toMatchObject({
      recorded: false,
      durability: 'none',
      dedupeScope: 'call',
      fingerprinted: false,
    });
  });
});

/** Takes ages for forty letters and a mark. */
const HANGS = '^(a+)+$';

describe('arguments against the tool’s own schema', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { amount: { type: 'integer', minimum: 1 } },
    required: ['amount'],
    additionalProperties: false,
  };
  const withSchema = async (inputSchema: unknown) => {
    const made = await instance();
    made.server.tools = [{ name: 'pay', inputSchema }];
    made.server.onToolsChanged();
    return made;
  };

  it.each([
    [{}, /amount/],
    [{ amount: 0 }, /\/amount must be >= 1/],
    [{ amount: 1, extra: 1 }, /additional properties \(extra\)/],
  ])('%j is refused before the claim', async (args, message) => {
    const { tx, server, ledger } = await withSchema(schema);
    const outcome = await tx.tryCallTool('pay', args, { idempotencyKey: 'k' });
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'ARGUMENTS_INVALID', reason: 'schema', message: expect.stringMatching(message) },
    });
    expect(server.sends).toHaveLength(0);
    expect((await ledger.list({})).records).toHaveLength(0);
    expect(await tx.tryCallTool('pay', { amount: 1 }, { idempotencyKey: 'k' })).toMatchObject({ ok: true });
  });

  it.each([
    ['fetches nothing', { $ref: 'http://169.254.169.254/schema.json' }],
    ['is not a schema', { type: 7 }],
    ['is too large', { description: 'x'.repeat(200_000), type: 'string' }],
    ['is missing', undefined],
    ['has a pattern made to hang', { type: 'object', properties: { s: { type: 'string', pattern: HANGS } } }],
    [
      'has one for names made to hang',
      { type: 'object', properties: { s: {} }, patternProperties: { [HANGS]: {} }, additionalProperties: false },
    ],
    ['has one for names', { patternProperties: { '^a+!$': { const: 1 } }, unevaluatedProperties: false }],
  ])('a schema that %s is left to the server', async (_what, inputSchema) => {
    const { tx } = await withSchema(inputSchema);
    const startedAt = performance.now();
    const long = `${'a'.repeat(40)}!`;
    expect(await tx.tryCallTool('pay', { s: long, [long]: 1 })).toMatchObject({ ok: true });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('what no pattern can stand for is still refused', async () => {
    const { tx } = await withSchema({ properties: { s: {} }, unevaluatedProperties: false });
    expect(await tx.tryCallTool('pay', { t: 1 })).toMatchObject({ error: { code: 'ARGUMENTS_INVALID' } });
  });
});

describe('error codes', () => {
  it('each say in a sentence what they mean', () => {
    for (const [code, { says }] of Object.entries(TX_ERRORS)) {
      expect(code).toMatch(/^[A-Z_]+$/);
      expect(says).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('are recognised by their brand, also from another copy', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('mcp-tx.error')]: true });
    expect(isMcpTxError(foreign)).toBe(true);
    for (const other of [undefined, null, 'x', new Error('x'), {}]) expect(isMcpTxError(other)).toBe(false);
  });
});
