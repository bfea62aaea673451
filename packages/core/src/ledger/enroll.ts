/** Writes the intent to call a tool next to a business row, in the user's own transaction: both are committed, or neither. */
import { McpTxError } from '../outcome/tx-error.ts';
import { argumentsText, checkKey, fingerprintOf, identify } from '../policy/identity.ts';
import { systemRandom } from '../runtime/random.ts';
import type { EnrollingLedger } from './enrolling-ledger.ts';
import { isEnrollingLedger } from './enrolling-ledger.ts';

/** A call that shall be made once the transaction is committed. */
export interface Intent {
  /** `name` of the instances that may send it. */
  readonly server: string;
  readonly tool: string;
  /** Kept in the ledger until the record goes. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** The caller's name for it: enrolled twice, it is sent once. */
  readonly idempotencyKey: string;
  /** Default `default`. */
  readonly scope?: string;
  /** How long it may be sent, ms: after that it is released unsent. Default 24 hours. */
  readonly sendWithinMs?: number;
  /** How long its end is remembered, ms. Whoever sends it says so anew. Default 24 hours. */
  readonly retentionMs?: number;
}

/** What was enrolled. */
export interface Enrolled {
  /** What `tx.getOperation` knows it by, once it is committed. */
  readonly operationId: string;
  /** `false`: the operation was there already, enrolled or called, perhaps ended. */
  readonly isNew: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const LIMITS = { maxDepth: 64, maxLength: 1024 * 1024 };

/**
 * Enrols an intent in `transaction`: one that you have begun, in the ledger's own database, and will commit or roll back
 * yourself. What is rolled back is never sent. What is committed is sent by the background sweep of any instance of that server
 * with this ledger, by the rules that this instance has for the tool.
 *
 * @throws McpTxError `CALL_INVALID`, `KEY_INVALID`, `ARGUMENTS_INVALID`; `KEY_CONFLICT`, `KEY_EXPIRED` when the key belongs to
 * something else; `CONFIG_INVALID` for a ledger that has no transactions of yours; `LEDGER_UNAVAILABLE`. Roll back after any of them.
 */
export async function enroll<Transaction>(
  ledger: EnrollingLedger<Transaction>,
  transaction: Transaction,
  intent: Intent,
): Promise<Enrolled> {
  if (!isEnrollingLedger(ledger))
    throw new McpTxError('CONFIG_INVALID', 'enroll: this ledger shares no transactions; use one of @mcp-tx/sql');
  checkIntent(intent);
  const { server, tool, idempotencyKey, scope = 'default', sendWithinMs = DAY_MS, retentionMs = DAY_MS } = intent;
  const text = argumentsText(intent.arguments ?? {}, LIMITS);
  const { operationId, digest } = identify(scope, server, idempotencyKey);
  const enrollment = await ledger.enroll(transaction, {
    ...{ operationId, digest, scope, serverName: server, tool, idempotencyKey, sendWithinMs, retentionMs },
    fingerprint: fingerprintOf(tool, text),
    requestId: `req_${systemRandom().id()}`,
    arguments: text,
  });
  const key = JSON.stringify(idempotencyKey);
  if (enrollment.kind === 'conflict') {
    const message = `the key ${key} was used for another tool or other arguments`;
    throw new McpTxError('KEY_CONFLICT', message, { operationId });
  }
  if (enrollment.kind === 'expired')
    throw new McpTxError('KEY_EXPIRED', `the record of the key ${key} has expired`, { operationId });
  return { operationId, isNew: enrollment.kind === 'enrolled' };
}

function checkIntent({ server, tool, idempotencyKey, scope, sendWithinMs, retentionMs }: Intent): void {
  for (const [name, value] of Object.entries({ server, tool, scope: scope ?? 'default' }))
    if (typeof value !== 'string' || value === '') throw invalid(`${name} must be a text that is not empty`);
  for (const [name, value] of Object.entries({ sendWithinMs, retentionMs }))
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      throw invalid(`${name} must be a whole number of ms above 0`);
  checkKey(idempotencyKey);
}

function invalid(what: string): McpTxError {
  return new McpTxError('CALL_INVALID', `enroll: ${what}`);
}
