/** Owns the operations of one process: claims them before their tool runs, lets repeats wait, and replays what is stored. */
import { randomUUID } from 'node:crypto';
import type { Claim, ClaimRequest, Lease, Outcome, TransactionalLedger } from '@mcp-tx/core/ledger';
import { isMcpTxError } from '@mcp-tx/core/ledger';
import type { End } from './answer.ts';
import { silentError } from './answer.ts';
import { CallTransaction } from './call-transaction.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { Settings } from './options.ts';
import { recordEnd } from './record-end.ts';
import type { ToolEnd } from './run-tool.ts';
import { endOfRecord, refusal } from './stored-end.ts';
import { endTransactional } from './transactional-end.ts';

/** One request, and what the ledger needs to know of its operation. */
export interface Admitted {
  /** Id of the record: of scope, server name and the client's own id. */
  readonly recordId: string;
  readonly digest: string;
  readonly scope: string;
  readonly operationId: string;
  readonly tool: string;
  readonly fingerprint: string;
  readonly requestId: string;
  readonly remainingMs: number;
}

/** Runs the tool of a request. `transaction`: for transactional tools only. */
export type RunTool = (transaction: CallTransaction | undefined) => Promise<ToolEnd>;

/** How a request ended, and whether it only heard what another one had caused. */
export interface Heard {
  readonly end: End;
  readonly duplicate: boolean;
}

/** A deadline must be a number; clients that say none have a day. */
const LONGEST_DEADLINE_MS = 24 * 60 * 60 * 1_000;
/** When whoever asks about an operation of another process is to ask again, ms: its lease ends later, but it may end sooner. */
const ASK_AGAIN_MS = 1_000;
/** A claim may simply be repeated with the same token. */
const CLAIM_TRIES = 3;

/** The desk. */
export class OperationDesk {
  readonly #settings: Settings;
  readonly #leases: LeaseKeeper;
  readonly #flights = new Map<string, Promise<Heard>>();
  readonly #open = new Set<Promise<void>>();
  /** Aborts the writers' pauses: they try once more, and then no more. */
  readonly #closing = new AbortController();
  #isClosed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#leases = new LeaseKeeper(settings.ledger, settings.clock, settings.leaseMs, settings.onError);
  }

  /**
   * Runs the tool if this is the operation's first request anywhere, and otherwise finds out how that one ended.
   *
   * @throws Error without our block when the ledger did not answer.
   */
  async handle(call: Admitted, run: RunTool): Promise<Heard> {
    // Requests of one operation with different arguments are no repeats of each other: the ledger says which one is right.
    const flight = `${call.recordId} ${call.fingerprint}`;
    const underWay = this.#flights.get(flight);
    if (underWay !== undefined) return { ...(await underWay), duplicate: true };
    if (this.#isClosed) throw silentError('the server is closing', undefined);
    const { promise: stored, resolve: markStored } = Promise.withResolvers<void>();
    const heard = this.#claimAndRun(call, run, markStored);
    this.#flights.set(flight, heard);
    this.#open.add(stored);
    heard.catch(() => markStored());
    try {
      return await heard;
    } finally {
      void stored.then(() => {
        this.#flights.delete(flight);
        this.#open.delete(stored);
      });
    }
  }

  /** Takes no more calls, and waits for those under way. Of records that could not be written yet, one more try is made. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#flights.values());
    this.#closing.abort();
    await Promise.all(this.#open);
  }

  async #claimAndRun(call: Admitted, run: RunTool, markStored: () => void): Promise<Heard> {
    const claim = await this.#claim(call);
    const transactions = this.#transactionsFor(call);
    if (claim.kind === 'claimed' && (await this.#mayRun(claim, transactions !== undefined))) {
      if (transactions === undefined)
        return { end: await this.#run(claim.lease, claim.attempts, run, markStored), duplicate: false };
      const end = await this.#runTransactional(transactions, claim.lease, claim.attempts, run);
      markStored();
      return { end, duplicate: false };
    }
    if (claim.kind === 'claimed') await this.#giveUp(claim.lease);
    markStored();
    return { end: endOfClaim(claim), duplicate: true };
  }

  async #claim(call: Admitted): Promise<Claim> {
    const { ledger, onError } = this.#settings;
    const request = this.#claimRequest(call);
    for (let tries = 1; ; tries += 1) {
      try {
        return await ledger.claim(request);
      } catch (error) {
        if (tries < CLAIM_TRIES && isMcpTxError(error) && error.code === 'LEDGER_UNAVAILABLE') continue;
        onError(error);
        throw silentError('the server could not reach its record of operations; this request ran nothing', error);
      }
    }
  }

  #claimRequest({ recordId, operationId, remainingMs, digest, scope, tool, ...call }: Admitted): ClaimRequest {
    const { name, leaseMs, retentionMs } = this.#settings;
    return {
      operationId: recordId,
      ...{ digest, scope, serverName: name, tool, leaseMs, retentionMs },
      idempotencyKey: operationId,
      fingerprint: call.fingerprint,
      requestId: call.requestId,
      ownerToken: randomUUID(),
      state: this.#transactionsFor({ tool }) === undefined ? 'sent' : 'claimed',
      mode: 'at-most-once',
      maxAttempts: 1,
      deadlineInMs: Math.min(Math.max(remainingMs, 0), LONGEST_DEADLINE_MS),
      settleWindowMs: 0,
    };
  }

  #transactionsFor({ tool }: Pick<Admitted, 'tool'>): TransactionalLedger | undefined {
    const { transactional, transactions } = this.#settings;
    return transactional.has(tool) ? transactions : undefined;
  }

  /** Whether nothing of the operation has run. A former owner that was only at `claimed` had written nothing. */
  async #mayRun(claim: Extract<Claim, { kind: 'claimed' }>, isTransactional: boolean): Promise<boolean> {
    const { lease, attempts, takenOver } = claim;
    if (takenOver === undefined) return true;
    if (takenOver.state !== 'claimed') return false;
    if (isTransactional) return true;
    const isMarked = await this.#settings.ledger.markSent(lease, attempts + 1).catch(this.#settings.onError);
    if (isMarked === true) return true;
    throw silentError('the server could not take this operation over; ask again', undefined);
  }

  async #runTransactional(ledger: TransactionalLedger, lease: Lease, attempts: number, run: RunTool): Promise<End> {
    const { clock, onError } = this.#settings;
    this.#leases.hold(lease);
    const transaction = new CallTransaction(ledger, lease);
    const kit = { ledger, lease, attempts, onError, now: () => clock.now() };
    const end = await endTransactional(kit, transaction, await run(transaction));
    this.#leases.drop(lease);
    return end;
  }

  async #run(lease: Lease, attempts: number, run: RunTool, markStored: () => void): Promise<End> {
    const { ledger, clock, onError } = this.#settings;
    this.#leases.hold(lease);
    const { outcome, answer } = await run(undefined);
    const kit = { ledger, clock, onError, closing: this.#closing.signal };
    const { recorded, done } = await recordEnd(kit, lease, attempts, outcome);
    void done.then(() => {
      this.#leases.drop(lease);
      markStored();
    });
    return answer.kind === 'result' && recorded ? { ...answer, storedAt: clock.now() } : answer;
  }

  /** The former owner died with its tool under way. */
  async #giveUp(lease: Lease): Promise<void> {
    const outcome: Outcome = { state: 'in_doubt', reason: 'owner-lost' };
    const { ledger, onError } = this.#settings;
    try {
      await ledger.settle(lease, outcome);
    } catch (error) {
      onError(error);
    }
  }
}

function endOfClaim(claim: Claim): End {
  switch (claim.kind) {
    case 'claimed':
      return refusal('in-doubt', 'the server stopped while this operation ran; whether it had an effect is not known');
    case 'replay':
    case 'in_doubt':
      return endOfRecord(claim.record);
    case 'busy':
      return refusal('in-progress', 'this operation is under way', {
        retryAfterMs: Math.min(Math.ceil(claim.leaseLeftMs), ASK_AGAIN_MS),
      });
    case 'conflict':
      return refusal('conflict', 'this operation was begun with another tool or other arguments');
    case 'repeat':
    case 'expired':
      return refusal('expired', 'this operation has ended, and how is no longer known');
  }
}
