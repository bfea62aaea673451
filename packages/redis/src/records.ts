/** Turns what the scripts tell of a record into an `OperationRecord`, and outcomes into texts. */
import type { OperationRecord, Outcome } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';

/** The outcome of an operation that has a result, where there is more to say than that. */
const EXACTLY_ONCE = '{"exactlyOnce":true}';

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

/** `flat`: names and values in turn. @throws McpTxError `LEDGER_CORRUPT` */
export function toRecord(flat: unknown): OperationRecord {
  const fields = fieldsOf(flat as readonly string[]);
  const operationId = fields.get('id') ?? '';
  const text = (name: string): string => fields.get(name) ?? corrupt(operationId, name);
  const number = (name: string): number => numberOf(fields.get(name)) ?? corrupt(operationId, name);
  const record: Mutable<OperationRecord> = {
    operationId,
    digest: text('digest'),
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
    contradicted: text('contradicted') === '1',
  };
  const key = fields.get('key');
  const fingerprint = fields.get('fingerprint');
  const stored = fields.get('arguments');
  const resolvedBy = fields.get('resolved_by');
  if (key !== undefined) record.idempotencyKey = key;
  if (fingerprint !== undefined) record.fingerprint = fingerprint;
  if (stored !== undefined) record.arguments = stored;
  if (resolvedBy !== undefined) record.resolvedBy = resolvedBy;
  if (fields.has('sent_at')) record.sentAt = number('sent_at');
  if (fields.has('ended_at')) record.endedAt = number('ended_at');
  const outcome = outcomeOf(fields, record);
  if (outcome !== undefined) record.outcome = outcome;
  return record;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function fieldsOf(flat: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
  return fields;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,16}$/.test(text) ? Number(text) : undefined;
}

function outcomeOf(fields: ReadonlyMap<string, string>, { state, operationId }: OperationRecord): Outcome | undefined {
  const result = fields.get('result');
  const outcome = fields.get('outcome');
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
  const what = `The record of ${operationId} in Redis cannot be read: its ${field} is not what it should be`;
  throw new McpTxError('LEDGER_CORRUPT', `${what}. Restore the ledger from a backup.`, { operationId });
}
