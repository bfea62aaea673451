/** Turns what the scripts tell of a record into an `OperationRecord`, and outcomes into texts. */
import type { OperationRecord, Outcome } from '@mcp-tx/core/ledger';
import { wholeDigest } from './digest.ts';
import { corruptRecord } from './ledger-error.ts';
import type { FieldName } from './scripts/fields.ts';
import { FIELDS } from './scripts/fields.ts';

/** The outcome of an operation that has a result, where there is more to say than that. */
const EXACTLY_ONCE = '{"exactlyOnce":true}';

const AT = Object.fromEntries(FIELDS.map((name, at) => [name, at + 1])) as Readonly<Record<FieldName, number>>;

/** How an argument that may be absent is written. */
export function optional(text: string | undefined): string {
  return text === undefined ? '' : `=${text}`;
}

/** Result and outcome, as arguments. A result is kept apart, as it was given. */
export function outcomeArguments(outcome: Outcome): readonly [string, string] {
  if (outcome.state === 'completed' && outcome.result !== undefined) {
    return [optional(outcome.result), outcome.exactlyOnce === true ? optional(EXACTLY_ONCE) : ''];
  }
  return ['', optional(JSON.stringify(outcome))];
}

/** What can be read; only where that is nothing is told what cannot: it holds up nobody. @throws McpTxError `LEDGER_CORRUPT` */
export function readable<Told, T>(told: readonly Told[], damaged: unknown, read: (one: Told) => T): readonly T[] {
  const problems: unknown[] = (damaged as readonly string[]).map((operationId) => corruptRecord(operationId, 'text'));
  const found: T[] = [];
  for (const one of told) {
    try {
      found.push(read(one));
    } catch (problem) {
      problems.push(problem);
    }
  }
  if (found.length === 0 && problems.length > 0) throw problems[0];
  return found;
}

/** `reply`: the operation's id, then its fields in order. @throws McpTxError `LEDGER_CORRUPT` */
export function toRecord(reply: unknown): OperationRecord {
  const told = reply as readonly unknown[];
  const operationId = String(told[0]);
  const text = (name: FieldName): string => optionalText(told, name) ?? corrupt(operationId, name);
  const number = (name: FieldName): number => numberOf(told[AT[name]]) ?? corrupt(operationId, name);
  const record: Mutable<OperationRecord> = {
    operationId,
    digest: wholeDigest(operationId, text('digest')),
    scope: text('scope'),
    serverName: text('server'),
    tool: text('tool'),
    requestId: text('request'),
    state: text('state') as OperationRecord['state'],
    mode: text('mode') as OperationRecord['mode'],
    attempts: number('attempts'),
    attemptLimit: number('attempt_limit'),
    fence: number('fence'),
    leaseUntil: number('lease_until'),
    deadlineAt: number('deadline_at'),
    settleWindowMs: number('settle_window'),
    createdAt: number('created_at'),
    contradicted: number('contradicted') === 1,
  };
  const key = optionalText(told, 'key');
  const fingerprint = optionalText(told, 'fingerprint');
  const stored = optionalText(told, 'arguments');
  const resolvedBy = optionalText(told, 'resolved_by');
  if (key !== undefined) record.idempotencyKey = key;
  if (fingerprint !== undefined) record.fingerprint = fingerprint;
  if (stored !== undefined) record.arguments = stored;
  if (resolvedBy !== undefined) record.resolvedBy = resolvedBy;
  if (optionalText(told, 'sent_at') !== undefined) record.sentAt = number('sent_at');
  if (optionalText(told, 'ended_at') !== undefined) record.endedAt = number('ended_at');
  const outcome = outcomeOf(told, record);
  if (outcome !== undefined) record.outcome = outcome;
  return record;
}

/** The record's number, as a cursor. */
export function seqOf(told: readonly unknown[]): string {
  return String(told[AT.seq]);
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function optionalText(told: readonly unknown[], name: FieldName): string | undefined {
  const value = told[AT[name]] ?? undefined;
  return value === undefined ? undefined : String(value);
}

/** A client may be set up to give numbers as texts. */
function numberOf(value: unknown): number | undefined {
  return /^-?\d{1,16}$/.test(String(value)) ? Number(value) : undefined;
}

function outcomeOf(told: readonly unknown[], { state, operationId }: OperationRecord): Outcome | undefined {
  const result = optionalText(told, 'result');
  const outcome = optionalText(told, 'outcome');
  if (result !== undefined) {
    return { state: 'completed', result, ...(outcome === EXACTLY_ONCE ? { exactlyOnce: true } : {}) };
  }
  if (outcome === undefined && (state === 'claimed' || state === 'sent')) return undefined;
  try {
    return JSON.parse(outcome ?? '') as Outcome;
  } catch {
    return corrupt(operationId, 'outcome');
  }
}

function corrupt(operationId: string, field: string): never {
  throw corruptRecord(operationId, field);
}
