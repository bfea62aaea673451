// Compares what really happened, from the tool server's own log, with what the ledger says.
import type { OperationRecord } from '@mcp-tx/core';
import type { LedgerReader } from '@mcp-tx/core/ledger';
import type { Effect } from '@mcp-tx/testing/faulty-server';
import { countEffects } from '@mcp-tx/testing/faulty-server';
import { orderOf } from './work.ts';

/** The figures of a run. */
export interface Count {
  readonly effects: number;
  /** Effects beyond the first of an operation. */
  readonly duplicates: number;
  /** Operations that are nowhere: no effect, and neither in doubt nor refused. */
  readonly lost: number;
  readonly completed: number;
  readonly failed: number;
  readonly inDoubt: number;
  /** Operations in doubt that had happened. */
  readonly inDoubtThatRan: number;
  /** Completed operations without an effect: a lie. */
  readonly completedWithoutEffect: number;
  /** Operations that were told two different ends. */
  readonly contradicted: number;
  /** Operations that a quiet world has left half-way. */
  readonly unfinished: number;
}

/** Counts. */
export async function count(ledger: LedgerReader, effects: readonly Effect[], operations: number): Promise<Count> {
  const perOrder = countEffects(effects, 'orderId');
  const records = await allRecords(ledger);
  const tally = {
    effects: effects.length,
    duplicates: 0,
    lost: 0,
    completed: 0,
    failed: 0,
    inDoubt: 0,
    inDoubtThatRan: 0,
    completedWithoutEffect: 0,
    contradicted: 0,
    unfinished: 0,
  };
  for (let n = 0; n < operations; n += 1) {
    const happened = perOrder.get(orderOf(n)) ?? 0;
    const state = records.get(orderOf(n))?.state;
    tally.duplicates += Math.max(0, happened - 1);
    if (state === undefined) tally.lost += 1;
    if (state === 'completed') tally.completed += 1;
    if (state === 'completed' && happened === 0) tally.completedWithoutEffect += 1;
    if (state === 'failed') tally.failed += 1;
    if (state === 'failed' && happened > 0) tally.completedWithoutEffect += 1;
    if (state === 'in_doubt') tally.inDoubt += 1;
    if (state === 'in_doubt' && happened > 0) tally.inDoubtThatRan += 1;
    if (records.get(orderOf(n))?.contradicted === true) tally.contradicted += 1;
    if (state === 'claimed' || state === 'sent') tally.unfinished += 1;
  }
  return tally;
}

async function allRecords(ledger: LedgerReader): Promise<ReadonlyMap<string, OperationRecord>> {
  const records = new Map<string, OperationRecord>();
  let cursor: string | undefined;
  do {
    const page = await ledger.list(cursor === undefined ? { limit: 1_000 } : { limit: 1_000, cursor });
    for (const record of page.records)
      if (record.idempotencyKey !== undefined) records.set(record.idempotencyKey, record);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return records;
}

/** An operation in doubt, for people: how it was to be sent, how often it was, and why nobody knows. */
export function inWords({ idempotencyKey, mode, outcome, attempts, attemptLimit }: OperationRecord): string {
  const reason = outcome?.state === 'in_doubt' ? outcome.reason : 'no outcome';
  return `${idempotencyKey} (${mode}, ${reason}, ${attempts} of ${attemptLimit} sends)`;
}
