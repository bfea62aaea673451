/** Puts a quota before any ledger: one tenant cannot fill the store that all of them share. */
import { McpTxError } from '../outcome/tx-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { EnrollingLedger, EnrollRequest } from './enrolling-ledger.ts';
import type { Claim, ClaimRequest, Ledger } from './ledger.ts';
import type { LedgerReader, Stats } from './ledger-reader.ts';
import { overlay } from './overlay.ts';

/** Options of {@link quotaLedger}. */
export interface QuotaOptions {
  /** Records that one scope may have at once, ended ones included until their retention is over. Default: no limit. */
  readonly maxHeldPerScope?: number;
  /** Of these, records that have no end: `claimed` (also given back, until they are purged), `sent`, `in_doubt`. Default: no limit. */
  readonly maxOpenPerScope?: number;
  /** How long a count is believed, ms. In between only what this process adds is counted. Default 5,000. */
  readonly recountMs?: number;
  /** For tests. */
  readonly clock?: Clock;
}

type Whole = Ledger & LedgerReader & EnrollingLedger;

/** What is known of one scope. */
interface Count {
  held: number;
  open: number;
  readonly countedAt: number;
}

/** A count that refuses somebody is never older than this, ms. */
const FRESH_MS = 250;
/** Scopes that counts are kept of. */
const MAX_SCOPES = 10_000;

/**
 * The same ledger, which takes no new operation of a scope that has its fill: `LEDGER_FULL`, reason `scope-quota`. What is there
 * already is answered, driven and ended as ever, and other scopes notice nothing. Counts are of the whole store but not of this
 * instant: several processes together may go past the limit by what they begin within `recountMs`.
 *
 * @throws McpTxError `CONFIG_INVALID`
 */
export function quotaLedger<Given extends Ledger & LedgerReader>(ledger: Given, options: QuotaOptions): Given {
  const inner = ledger as unknown as Whole;
  const quota = new Quota(inner, options);
  return overlay(ledger, {
    claim: (request: ClaimRequest): Promise<Claim> => quota.admit(request, () => inner.claim(request)),
    enroll: (transaction: unknown, request: EnrollRequest) =>
      quota.admit(request, () => inner.enroll(transaction, request)),
  });
}

class Quota {
  readonly #ledger: Whole;
  readonly #maxHeld: number;
  readonly #maxOpen: number;
  readonly #recountMs: number;
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();
  readonly #counting = new Map<string, Promise<Count>>();

  constructor(ledger: Whole, options: QuotaOptions) {
    const { maxHeldPerScope, maxOpenPerScope, recountMs = 5_000, clock = systemClock } = options;
    if (typeof ledger.stats !== 'function') throw invalid('the ledger cannot be counted');
    if (maxHeldPerScope === undefined && maxOpenPerScope === undefined)
      throw invalid('give maxHeldPerScope, maxOpenPerScope or both');
    this.#ledger = ledger;
    this.#maxHeld = limit('maxHeldPerScope', maxHeldPerScope);
    this.#maxOpen = limit('maxOpenPerScope', maxOpenPerScope);
    this.#recountMs = limit('recountMs', recountMs);
    this.#clock = clock;
  }

  /** @throws McpTxError `LEDGER_FULL` */
  async admit<T extends { readonly kind: string }>(
    { operationId, scope }: Pick<ClaimRequest, 'operationId' | 'scope'>,
    claim: () => T | Promise<T>,
  ): Promise<T> {
    let count = await this.#count(scope, this.#recountMs);
    if (this.#isFull(count)) count = await this.#count(scope, Math.min(FRESH_MS, this.#recountMs));
    if (this.#isFull(count) && (await this.#ledger.find(operationId)) === undefined) throw this.#full(scope, count);
    count.held += 1; // until it is known to be new or not: those that come together must see each other
    count.open += 1;
    const isNew = ({ kind }: T): boolean => kind === 'claimed' || kind === 'enrolled';
    try {
      const answer = await claim();
      if (!isNew(answer)) takeBack(count);
      return answer;
    } catch (error) {
      takeBack(count);
      throw error;
    }
  }

  #isFull({ held, open }: Count): boolean {
    return held >= this.#maxHeld || open >= this.#maxOpen;
  }

  /** A count that is not older than `maxAgeMs`. */
  async #count(scope: string, maxAgeMs: number): Promise<Count> {
    const known = this.#counts.get(scope);
    if (known !== undefined && this.#clock.monotonic() - known.countedAt < maxAgeMs) return known;
    let counting = this.#counting.get(scope);
    if (counting === undefined) {
      counting = this.#countAnew(scope).finally(() => this.#counting.delete(scope));
      this.#counting.set(scope, counting);
    }
    return counting;
  }

  async #countAnew(scope: string): Promise<Count> {
    const countedAt = this.#clock.monotonic();
    const { total, byState }: Stats = await this.#ledger.stats({ scope });
    const count = { held: total, open: byState.claimed + byState.sent + byState.in_doubt, countedAt };
    this.#counts.delete(scope);
    this.#counts.set(scope, count);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= MAX_SCOPES) break;
      this.#counts.delete(oldest);
    }
    return count;
  }

  #full(scope: string, { held, open }: Count): McpTxError {
    const what =
      held >= this.#maxHeld
        ? `holds ${held} records, and may hold ${this.#maxHeld}`
        : `has ${open} operations without an end, and may have ${this.#maxOpen}`;
    const message = `The scope ${JSON.stringify(scope)} ${what}; nothing was sent. What it has begun before is answered as ever.`;
    return new McpTxError('LEDGER_FULL', message, { reason: 'scope-quota' });
  }
}

function takeBack(count: Count): void {
  count.held -= 1;
  count.open -= 1;
}

function limit(name: string, value: number | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`${name} must be a whole number above 0, not ${value}`);
}

function invalid(what: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `quotaLedger: ${what}`);
}
