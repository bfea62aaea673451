import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/policy/backoff.ts';
import { fillPointer, parsePointer } from '../../src/policy/json-pointer.ts';
import { createRetryBudget } from '../../src/policy/retry-budget.ts';
import { stricter, toolSafety } from '../../src/policy/tool-safety.ts';

const random = (value: number) => ({ next: () => value, id: () => '' });

describe('backoff', () => {
  const settings = { baseDelayMs: 100, maxDelayMs: 1_000, backoffMultiplier: 2, jitter: 'full' } as const;
  it('doubles up to the cap, and jitters over all of it', () => {
    expect([1, 2, 3, 4, 5, 60].map((n) => backoffMs({ ...settings, jitter: 'none' }, n, random(0)))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(backoffMs(settings, 3, random(0))).toBe(0);
    expect(backoffMs(settings, 3, random(0.999))).toBeCloseTo(399.6);
  });
});

describe('the retry budget', () => {
  it('[G:I13] never allows more than its capacity and a tenth of the operations', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 2_000 }), (steps) => {
        const budget = createRetryBudget({ capacity: 10, ratio: 0.1 });
        let operations = 0;
        let resends = 0;
        for (const isOperation of steps) {
          if (isOperation) {
            operations += 1;
            budget.deposit();
          } else if (budget.withdraw()) resends += 1;
        }
        expect(resends).toBeLessThanOrEqual(10 + operations * 0.1 + 1e-9);
      }),
    );
  });
});

describe('JSON pointers', () => {
  it('fills a copy, making objects on the way', () => {
    const args = { a: { b: 1 } };
    expect(fillPointer(args, '/a/key', 'x')).toEqual({ a: { b: 1, key: 'x' } });
    expect(fillPointer({}, '/m~1n/o~0p', 'x')).toEqual({ 'm/n': { 'o~p': 'x' } });
    expect(args).toEqual({ a: { b: 1 } });
  });

  it.each(['', 'key', '/', '/a//b', '/__proto__/x', '/a~2'])('%j is none', (pointer) => {
    expect(parsePointer(pointer)).toBeUndefined();
  });

  it('refuses to overwrite what the caller gave, and to go through what is no object', () => {
    expect(() => fillPointer({ key: 'mine' }, '/key', 'x')).toThrow(expect.objectContaining({ code: 'CALL_INVALID' }));
    expect(() => fillPointer({ a: [1] }, '/a/key', 'x')).toThrow(expect.objectContaining({ code: 'CALL_INVALID' }));
  });
});

describe('tool safety', () => {
  const server = { trusted: false, speaksMcpTx: false, delivery: 'at-most-once' } as const;
  it('is at-most-once unless somebody who may says otherwise', () => {
    expect(toolSafety(undefined, undefined, server).mode).toBe('at-most-once');
    expect(toolSafety(undefined, { idempotentHint: true }, server).mode).toBe('at-most-once');
    expect(toolSafety(undefined, { idempotentHint: true }, { ...server, trusted: true }).mode).toBe('at-least-once');
    expect(toolSafety({ readOnly: true }, undefined, server)).toMatchObject({ mode: 'at-least-once', readOnly: true });
    expect(toolSafety({ idempotent: true }, undefined, server)).toMatchObject({
      mode: 'at-least-once',
      readOnly: false,
    });
    expect(toolSafety({ idempotencyArgument: '/k' }, undefined, server).mode).toBe('effectively-once');
    expect(toolSafety(undefined, undefined, { ...server, speaksMcpTx: true }).mode).toBe('effectively-once');
    expect(toolSafety({ delivery: 'at-most-once' }, undefined, { ...server, speaksMcpTx: true }).mode).toBe(
      'at-most-once',
    );
  });

  it('a user’s "no" overrules a trusted hint', () => {
    expect(toolSafety({ readOnly: false }, { readOnlyHint: true }, { ...server, trusted: true }).mode).toBe(
      'at-most-once',
    );
  });

  it('of two modes the stricter holds', () => {
    expect(stricter('at-least-once', 'at-most-once')).toBe('at-most-once');
    expect(stricter('effectively-once', 'at-least-once')).toBe('effectively-once');
  });
});
