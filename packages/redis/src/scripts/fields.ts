/** The fields of a record, in the order in which it is kept and told. Numbers are whole, flags 0 or 1; what is absent is false. */

/** The last two may be long. */
export const FIELDS = [
  'digest',
  'scope',
  'server',
  'tool',
  'key',
  'fingerprint',
  'request',
  'owner',
  'state',
  'mode',
  'attempts',
  'attempt_limit',
  'fence',
  'took_over',
  'lease_until',
  'deadline_at',
  'settle_window',
  'retention',
  'created_at',
  'sent_at',
  'ended_at',
  'expires_at',
  'contradicted',
  'resolved_by',
  'seq',
  'quarantine',
  'tombstone',
  'outcome',
  'arguments',
  'result',
] as const;

/** Fields whose few words are kept as their places here, from 1: a record holds them for as long as it is there. */
export const CODED = {
  state: ['claimed', 'sent', 'completed', 'failed', 'in_doubt'],
  mode: ['at-most-once', 'at-least-once', 'effectively-once'],
} as const;

/** A field of a record. */
export type FieldName = (typeof FIELDS)[number];
