/** The storage contract: what a store of operations must do, and what races it must decide. It knows nothing of MCP. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { Durability } from '../outcome/durability.ts';
import type { Outcome } from '../outcome/outcome.ts';
import type { OperationRecord, Resolution } from './record.ts';

/**
 * A store of operations.
 *
 * Every write after the claim is a compare-and-set on the lease's fence: a late owner's write changes nothing and is told so.
 * Lease time is judged by the store's clock only. A promise resolves only when the write is as durable as `durability` says. A
 * ledger that has done its work when the method returns gives the answer itself, of `claim` and `settle`, and may throw at once.
 *
 * @throws McpTxError from every method: `LEDGER_UNAVAILABLE` (with `cause`; the write may or may not have happened, and every
 * method may simply be repeated), `LEDGER_CLOSED`, `LEDGER_CORRUPT`, `LEDGER_VERSION`; `LEDGER_FULL` from `claim`.
 */
export interface Ledger {
  readonly durability: Durability;
  /** Whether other processes see the same records. */
  readonly shared: boolean;
  /** Since when this store has kept everything that it was given, epoch ms; absent where it cannot tell. */
  readonly createdAt?: number;
  /**
   * Takes the exclusive right to drive an operation, or tells why not. Atomic: of N concurrent claims exactly one is `claimed`.
   * A claim repeated with the same `ownerToken` gives the same lease again, `takenOver` included, until the lease is given
   * back. Checks in this order: digest of a hit, expired (tombstone), tool and fingerprint (where both sides have one),
   * terminal record, live lease, quarantine (of new keyless operations only).
   */
  claim(request: ClaimRequest): Claim | Promise<Claim>;
  /**
   * Records, before any byte leaves, that send number `attempt` is about to. `false`: the lease was taken over; send nothing.
   * The same attempt marked twice by the same owner is `true` twice; a lower number, a former owner's number, or one over the
   * record's `attemptLimit`, is `false`. Renews the lease.
   */
  markSent(lease: Lease, attempt: number): Promise<boolean>;
  /** Starts each lease anew, from now. `false` at a lease's place: it was taken over, or the operation has ended. */
  renewAll(leases: readonly Lease[]): Promise<readonly boolean[]>;
  /**
   * Back to `claimed`: nothing of this operation is under way and nothing has run. `false`: the lease was taken over. Without
   * `hold` this gives the lease back for good; such an operation has ended (`endedAt`) as released, and may be purged.
   */
  release(lease: Lease, released: Released): Promise<boolean>;
  /**
   * Ends the operation. The same outcome twice is `true` twice; another one, one that `mayFollow` forbids, or a lost lease, is
   * `false`. A lease is lost when another owner took it or it was given back, not by time alone.
   */
  settle(lease: Lease, outcome: Outcome): boolean | Promise<boolean>;
  /**
   * Ends doubt, with an audit line. Needs no lease. From `in_doubt` (and, for `by: 'late-answer'`, from `sent` as well) the
   * resolution is stored. A late answer that contradicts a terminal record changes nothing but sets `contradicted`, with an
   * audit line the first time. Two failures are the same end whatever their words; two results only when equal.
   */
  resolve(operationId: string, resolution: Resolution): Promise<ResolveResult>;
  find(operationId: string): Promise<OperationRecord | undefined>;
  /**
   * Looks for up to `limit` operations whose lease has run out. `sent` ones of mode `at-most-once` become `in_doubt`
   * (`owner-lost`); `sent` ones that may be re-sent and `claimed` ones without stored arguments get their lease freed once
   * (`leaseUntil` 0). `claimed` or re-sendable ones *with* arguments are handed back as `runnable`, unchanged. A lease that was
   * given back or freed before has not run out: nothing is reported twice but `runnable`, which comes last within the limit.
   * `serverName`: only this server's are handed back as `runnable`, so that a caller who cannot run the others finds its own.
   */
  sweep(limit: number, serverName?: string): Promise<readonly Swept[]>;
  close(): Promise<void>;
}

/** All that a ledger must know to let somebody drive an operation. */
export interface ClaimRequest {
  readonly operationId: string;
  /** Hex SHA-256 that `operationId` is cut from. */
  readonly digest: string;
  readonly scope: string;
  readonly serverName: string;
  readonly tool: string;
  readonly idempotencyKey?: string;
  readonly fingerprint?: string;
  readonly requestId: string;
  /** Minted by the caller, so that a claim whose answer was lost can be repeated. */
  readonly ownerToken: string;
  /**
   * `sent`: the first send follows at once, so a record that is new or was released goes straight to `sent` with one more
   * attempt. Never applied when the answer has `takenOver`. `claimed`: something has to happen before the first send.
   */
  readonly state: 'claimed' | 'sent';
  readonly leaseMs: number;
  /** Stored; but at a take-over of a `sent` record `at-most-once` stays `at-most-once`, whoever asks. */
  readonly mode: DeliveryMode;
  /** Sends allowed to this claim. A record that was released counts from there; a crashed owner's record keeps its limit. */
  readonly maxAttempts: number;
  /** Time left to the caller, ms: clocks need not agree. The store makes `deadlineAt` of it, by its own clock. */
  readonly deadlineInMs: number;
  /** At a take-over of a `sent` record the longer of the two is kept. */
  readonly settleWindowMs: number;
  /** How long the record is kept after it ended, ms. A keyed one leaves a tombstone for ten times as long. */
  readonly retentionMs: number;
  readonly arguments?: string;
  /**
   * Without a key: refuse (`repeat`) when an operation of the same scope, server and fingerprint, with a key or without, is
   * already `in_doubt`, or `sent` past its caller's deadline, in the same `session`, and was sent less than `windowMs` ago;
   * unless `repeatOf` names one of these. With a key: never refuse, but count for later ones without.
   */
  readonly quarantine?: { readonly session: string; readonly windowMs: number; readonly repeatOf?: string };
}

/** The exclusive right to drive an operation. Opaque to everybody but the ledger that gave it. */
export interface Lease {
  readonly operationId: string;
  readonly fence: number;
  readonly ownerToken: string;
  readonly leaseMs: number;
  /** A ledger's own handle (a row id, …). */
  readonly handle?: unknown;
}

/** Answer to a claim. */
export type Claim =
  | {
      readonly kind: 'claimed';
      readonly lease: Lease;
      /** Number of sends made so far, this claim's own `sent` included. */
      readonly attempts: number;
      /** The last number that `markSent` will take. */
      readonly attemptLimit: number;
      /**
       * The record as a former owner left it, when that owner's lease ran out (also one that a sweep freed in `sent`). In the
       * answer to a repeated claim its fence, request and times may be the new claim's already.
       */
      readonly takenOver?: OperationRecord;
    }
  | { readonly kind: 'replay'; readonly record: OperationRecord }
  | { readonly kind: 'in_doubt'; readonly record: OperationRecord }
  | {
      readonly kind: 'busy' /** When the lease ends, as a duration from now by the store's clock, ms. */;
      readonly leaseLeftMs: number;
      readonly record: OperationRecord;
    }
  | { readonly kind: 'conflict' } // other digest, other tool, other fingerprint: the record is somebody else's and stays unseen
  | { readonly kind: 'repeat'; readonly operationId: string }
  | { readonly kind: 'expired' };

/** How an operation goes back to `claimed`. */
export interface Released {
  /** Sends that really may have reached the server; a send known not to have left is not counted. */
  readonly attempts: number;
  /** Keep the lease: the same owner will send again soon. Otherwise anybody with the key may take over at once. */
  readonly hold: boolean;
}

/** Answer to a resolution. */
export type ResolveResult =
  | { readonly kind: 'resolved'; readonly record: OperationRecord }
  | { readonly kind: 'already' /** It had the same end. */; readonly record: OperationRecord }
  | { readonly kind: 'contradicted'; readonly record: OperationRecord }
  | { readonly kind: 'not_in_doubt'; readonly record: OperationRecord }
  | { readonly kind: 'not_found' };

/** What a sweep did to one operation. */
export interface Swept {
  readonly action: 'in_doubt' | 'released' | 'runnable';
  readonly record: OperationRecord;
}
