/** Decides what becomes of an intent: a record of its own, or a mark on the one that is there. Runs inside a user's transaction. */
import type { Enrollment, EnrollRequest } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import { planOf } from './claim.ts';
import { forget } from './purge.ts';
import type { OperationRow } from './rows.ts';
import { digestColumn } from './rows.ts';
import type { Steps } from './steps.ts';
import { rowsBy, step } from './steps.ts';

/** For an operation that is most likely new. `undefined`: it is there, so {@link enrollKnown} has to look at it. */
export function* enrollNew(request: EnrollRequest, key: Uint8Array, now: number): Steps<Enrollment | undefined> {
  const { changes } = yield* step(
    'insert',
    ...[key, digestColumn(request.digest, key), request.scope, request.serverName],
    ...[request.tool, request.idempotencyKey, request.fingerprint],
    ...[request.requestId, null, 'claimed', 'at-least-once', 0, 0, 0], // how strict it is, says who sends it
    ...[now, now, 0, request.retentionMs],
    ...[request.arguments, null, now, null, now + request.sendWithinMs],
  );
  return changes === 0 ? undefined : { kind: 'enrolled' };
}

export function* enrollKnown(request: EnrollRequest, key: Uint8Array, now: number): Steps<Enrollment> {
  const [row] = yield* rowsBy('byKey', key);
  if (row === undefined) return (yield* enrollNew(request, key, now)) ?? (yield* unseen(request));
  const plan = planOf(row, request, now);
  if ('kind' in plan) {
    if (plan.kind !== 'busy') return plan as Enrollment;
    yield* intend(row, request, now);
    return { kind: 'known' };
  }
  if (plan.step === 'replace') {
    yield* forget([row]);
    return (yield* enrollNew(request, key, now)) ?? (yield* unseen(request));
  }
  yield* intend(row, request, now);
  return { kind: 'known' };
}

/** Whoever drives it goes on; what was given back or let go of waits for a sweep again. */
function* intend(row: OperationRow, request: EnrollRequest, now: number): Steps<void> {
  const until = Math.max(row.send_until ?? 0, now + request.sendWithinMs);
  yield* step(
    'intend',
    until,
    row.arguments ?? request.arguments,
    row.lease_until === 0 ? now : row.lease_until,
    row.id,
  );
}

/** The user's transaction sees the past: a row that forbids an insert, and that it cannot read. */
// biome-ignore lint/correctness/useYield: it only throws
function* unseen({ operationId }: EnrollRequest): Steps<never> {
  const message = `${operationId} was made by somebody else since this transaction began; begin it anew`;
  throw new McpTxError('LEDGER_UNAVAILABLE', message, { operationId });
}
