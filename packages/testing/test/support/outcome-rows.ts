/** The classification table as data: which fault, on which wire, is judged how, and what the caller then hears. */
import type { CallOutcome, McpTx } from '@mcp-tx/core';
import { expect } from 'vitest';

/** What is expected of the first send, and of the call with its key. */
export interface Expected {
  /** Class of the first attempt. */
  readonly class: string;
  /** `ok`, or the error's code. */
  readonly ends: string;
  readonly reason?: string;
  /** Effects of the first operation. */
  readonly effects: number;
  /** Attempts, for `ok`. */
  readonly attempts?: number;
}

/** In doubt after a loss that is seen at once. */
export const lost = (effects: number): Expected => ({
  class: 'unknown',
  ends: 'IN_DOUBT',
  reason: 'connection-lost',
  effects,
});
/** In doubt after silence. */
export const silent = (effects: number): Expected => ({
  class: 'unknown',
  ends: 'IN_DOUBT',
  reason: 'timeout',
  effects,
});
/** Refused for good, nothing ran. */
export const rejected: Expected = { class: 'rejected', ends: 'REJECTED', effects: 0 };
/** Refused once, then answered. */
export const retried = (of: string): Expected => ({ class: of, ends: 'ok', effects: 1, attempts: 2 });
/** Ran, and what came back is no answer. */
export const unusable: Expected = { class: 'executed-unusable', ends: 'RESULT_UNUSABLE', effects: 1 };
/** An answer that leaves open whether it ran. */
export const unclear = (effects: number): Expected => ({
  class: 'unknown',
  ends: 'IN_DOUBT',
  reason: 'server-error',
  effects,
});
/** Answered as if nothing had been wrong. */
export const answered: Expected = { class: 'completed', ends: 'ok', effects: 1, attempts: 1 };

/** Short where silence is expected, long where something is bound to happen. */
export const timeoutFor = ({ reason }: Expected): number => (reason === 'timeout' ? 1_000 : 20_000);

/** Makes the call, and shows what the first attempt was judged to be. A silent attempt is judged by the caller's leaving. */
export async function callOnce(tx: McpTx): Promise<{ readonly outcome: CallOutcome; readonly first: string }> {
  const classes: string[] = [];
  const stop = tx.on('attempt.ended', (event) => classes.push(event.class));
  const outcome = await tx.tryCallTool('pay', { orderId: 'first', amount: 1 }, { idempotencyKey: 'first' });
  stop();
  return { outcome, first: classes[0] ?? 'unknown' };
}

/** Compares a row with what happened. `effects` counts what the server itself wrote down. */
export function expectRow(
  expected: Expected,
  seen: { readonly outcome: CallOutcome; readonly first: string },
  effects: number,
): void {
  const { outcome } = seen;
  const ends = outcome.ok ? 'ok' : outcome.error.code;
  const message = outcome.ok ? '' : outcome.error.message;
  expect({ class: seen.first, ends, effects }, message).toEqual({
    class: expected.class,
    ends: expected.ends,
    effects: expected.effects,
  });
  if (expected.reason !== undefined) expect(outcome.ok ? undefined : outcome.error.reason).toBe(expected.reason);
  if (expected.attempts !== undefined && outcome.ok) expect(outcome.meta.attempts).toBe(expected.attempts);
  const execution = outcome.ok ? 'done' : outcome.error.execution;
  if (execution === 'none') expect(effects).toBe(0); // what is said not to have run has not
}
