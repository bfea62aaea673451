/** Puts encryption before any ledger: arguments and results are sealed before it sees them, and opened after it has found them. */
import type { Outcome } from '../outcome/outcome.ts';
import { isMcpTxError } from '../outcome/tx-error.ts';
import type { EnrollingLedger, EnrollRequest } from './enrolling-ledger.ts';
import type { Claim, ClaimRequest, Lease, Ledger, ResolveResult, Swept } from './ledger.ts';
import type { LedgerReader, ListQuery } from './ledger-reader.ts';
import { overlay } from './overlay.ts';
import type { OperationRecord, Resolution } from './record.ts';
import type { EncryptionOptions } from './sealing.ts';
import { Sealing } from './sealing.ts';
import type { TransactionalLedger } from './transactional-ledger.ts';

/** Every part that a ledger may have. */
type Whole = Ledger & LedgerReader & TransactionalLedger & EnrollingLedger;

/**
 * The same ledger, whose stored arguments and results are encrypted with AES-256-GCM. Each text is bound to its operation: moved
 * to another one it does not open. Everything else (tool, key, scope, state, errors, instants) stands as it is, for the store has to
 * search it. What cannot be opened is an error, and nothing is sent.
 *
 * @throws McpTxError `CONFIG_INVALID`; later `LEDGER_CORRUPT` with `reason` `tampered`, `key-missing` or `not-encrypted`
 */
export function encryptedLedger<Given extends Ledger>(ledger: Given, options: EncryptionOptions): Given {
  return overlay(ledger, methods(ledger as unknown as Whole, new Sealing(options), options));
}

function methods(inner: Whole, sealing: Sealing, { onUnreadable }: EncryptionOptions): Partial<Whole> {
  return {
    claim: async (request: ClaimRequest) => {
      const { operationId, arguments: args } = request;
      const sealed = args === undefined ? request : { ...request, arguments: sealing.arguments(operationId, args) };
      return openClaim(sealing, await inner.claim(sealed));
    },
    settle: (lease: Lease, outcome: Outcome) => settle(inner, sealing, lease, outcome),
    resolve: (operationId: string, resolution: Resolution) => resolve(inner, sealing, operationId, resolution),
    find: async (operationId: string) => {
      const record = await inner.find(operationId);
      return record === undefined ? undefined : sealing.record(record);
    },
    sweep: async (limit: number, serverName?: string) => {
      const swept = await (serverName === undefined ? inner.sweep(limit) : inner.sweep(limit, serverName));
      return swept.flatMap((one) => openSwept(sealing, one, onUnreadable));
    },
    list: async (query: ListQuery) => {
      const page = await inner.list(query);
      return { ...page, records: page.records.map((record) => sealing.record(record)) };
    },
    transaction: (lease: Lease, work: (db: unknown) => Promise<Outcome>) =>
      inner.transaction(lease, async (db) => sealing.outcome(lease.operationId, await work(db))),
    enroll: async (transaction: unknown, request: EnrollRequest) => {
      const sealed = { ...request, arguments: sealing.arguments(request.operationId, request.arguments) };
      return openClaim(sealing, await inner.enroll(transaction, sealed));
    },
  };
}

/** An end that is repeated after a rotation is stored under the former key already. */
async function settle(inner: Whole, sealing: Sealing, lease: Lease, outcome: Outcome): Promise<boolean> {
  const sealed = sealing.outcome(lease.operationId, outcome);
  if (await inner.settle(lease, sealed)) return true;
  const alike = sealing.outcome(lease.operationId, outcome, (await inner.find(lease.operationId))?.outcome);
  return textOf(alike) !== textOf(sealed) && (await inner.settle(lease, alike));
}

async function resolve(inner: Whole, sealing: Sealing, id: string, resolution: Resolution): Promise<ResolveResult> {
  const outcome = sealing.outcome(id, resolution.outcome, (await inner.find(id))?.outcome) as Resolution['outcome'];
  return openClaim(sealing, await inner.resolve(id, { ...resolution, outcome }));
}

function openClaim<T extends { readonly kind: string }>(sealing: Sealing, answer: T): T {
  const { record, takenOver } = answer as { readonly record?: OperationRecord } & Partial<
    Extract<Claim, { kind: 'claimed' }>
  >;
  if (record !== undefined) return { ...answer, record: sealing.record(record) };
  return takenOver === undefined ? answer : { ...answer, takenOver: sealing.record(takenOver) };
}

/** One bad record must not keep the others from being swept; and a call without its arguments must not be made. */
function openSwept(sealing: Sealing, swept: Swept, onUnreadable: EncryptionOptions['onUnreadable']): readonly Swept[] {
  try {
    return [{ ...swept, record: sealing.record(swept.record) }];
  } catch (error) {
    if (!isMcpTxError(error)) throw error;
    onUnreadable?.(swept.record.operationId, error);
    if (swept.action === 'runnable') return [];
    const { arguments: _unreadable, ...record } = swept.record;
    return [{ ...swept, record }];
  }
}

function textOf(outcome: Outcome): string | undefined {
  return outcome.state === 'completed' ? outcome.result : undefined;
}
