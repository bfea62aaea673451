/** Proves that a plan decides by its seed alone, within its limits. */
import { describe, expect, test } from 'vitest';
import { checkPlan } from '../src/fault-proxy/plan.ts';
import { createSchedule } from '../src/fault-proxy/proxy-state.ts';
import { temporaryLog } from '../src/faulty-server/temporary-log.ts';
import type { FaultPlan, ProxyFaultKind } from '../src/faulty-server.ts';
import { faultProxy } from '../src/faulty-server.ts';

function kinds(plan: FaultPlan, calls: number, state?: string): (ProxyFaultKind | undefined)[] {
  const schedule = createSchedule(plan, state);
  return Array.from({ length: calls }, () => schedule.next('pay').decision?.kind);
}

const plan: FaultPlan = { seed: 7, rates: { 'kill-after': 0.1, 'drop-response': 0.2 } };

test('the same seed gives the same run, another seed another one', () => {
  expect(kinds(plan, 200)).toEqual(kinds(plan, 200));
  expect(kinds(plan, 200)).not.toEqual(kinds({ ...plan, seed: 8 }, 200));
});

test('rates are kept', () => {
  const run = kinds(plan, 10_000);
  const count = (kind: ProxyFaultKind | undefined): number => run.filter((drawn) => drawn === kind).length / 10_000;
  expect(count('kill-after')).toBeCloseTo(0.1, 1.5);
  expect(count('drop-response')).toBeCloseTo(0.2, 1.5);
  expect(count(undefined)).toBeCloseTo(0.7, 1.5);
});

test('a restart in between changes nothing', () => {
  const state = temporaryLog('state.json');
  expect([...kinds(plan, 30, state), ...kinds(plan, 70, state)]).toEqual(kinds(plan, 100));
});

test('a limit per kind holds, also over a restart', () => {
  const state = temporaryLog('state.json');
  const limited = { ...plan, maxPerKind: 2 };
  const run = [...kinds(limited, 300, state), ...kinds(limited, 300, state)];
  expect(run.filter((kind) => kind === 'kill-after')).toHaveLength(2);
});

test('the first calls are spared by the dice, not by a list', () => {
  const run = kinds({ seed: 1, rates: { 'drop-request': 1 }, at: { 'kill-before': [2] }, skipFirst: 3 }, 5);
  expect(run).toEqual([undefined, 'kill-before', undefined, 'drop-request', 'drop-request']);
});

test('other tools neither count nor suffer', () => {
  const schedule = createSchedule({ seed: 1, rates: { 'drop-request': 1 }, tools: ['pay'] });
  expect(schedule.next('echo')).toEqual({ call: 0, decision: undefined });
  expect(schedule.next('pay')).toMatchObject({ call: 1, decision: { kind: 'drop-request' } });
});

test('waits lie in their range', () => {
  const schedule = createSchedule({ seed: 3, rates: { 'delay-response': 1 }, delayMs: [10, 20] });
  const waits = Array.from({ length: 100 }, () => schedule.next('pay').decision?.waitMs ?? 0);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...waits)).toBeLessThanOrEqual(20);
  expect(new Set(waits).size).toBeGreaterThan(5);
});

describe('a wrong plan is refused', () => {
  test.for<{ plan: unknown; says: string }>([
    { plan: {}, says: 'a plan needs a whole number as its seed' },
    { plan: { seed: 1, rates: { explode: 1 } }, says: 'there is no fault explode' },
    { plan: { seed: 1, at: { explode: [1] } }, says: 'there is no fault explode' },
    { plan: { seed: 1, rates: { 'drop-request': 0.6, 'kill-after': 0.6 } }, says: 'sum up to at most 1' },
    { plan: { seed: 1, rates: { 'drop-request': -1 } }, says: 'rates are between 0 and 1' },
  ])('$says', ({ plan: wrong, says }) => {
    expect(() => checkPlan(wrong as FaultPlan)).toThrow(says);
    expect(() => faultProxy({ plan: wrong as FaultPlan, command: 'true' })).toThrow(TypeError);
  });
});
