/** The ledger on Redis or Valkey: one script per step, which the server runs as a whole or not at all. */
import { createHash } from 'node:crypto';
import type {
  AuditLine,
  Claim,
  ClaimRequest,
  Durability,
  Lease,
  Ledger,
  LedgerReader,
  ListQuery,
  OperationRecord,
  Outcome,
  Page,
  Released,
  Resolution,
  ResolveResult,
  Stats,
  Swept,
} from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Reply } from './connection.ts';
import { Connection } from './connection.ts';
import { keptDigest } from './digest.ts';
import * as reader from './reader.ts';
import { optional, outcomeArguments, readable, toRecord } from './records.ts';
import type { OpenRedisLedger, RedisLedgerOptions } from './redis-ledger-options.ts';
import { openWith } from './redis-ledger-options.ts';

/** A ledger on Redis. */
export interface RedisLedger extends Ledger, LedgerReader, AsyncDisposable {}

/** Leases that one script renews, and records that one script purges or sweeps: others must not wait long for it. */
const AT_ONCE = 200;
const OWNER_LOST = JSON.stringify({ state: 'in_doubt', reason: 'owner-lost' } satisfies Outcome);

/**
 * Keeps operations in Redis 7 or Valkey. Nothing is asked of the server before the first use. No key has a time to live: only
 * `purge` removes records, and never one that is `sent` or `in_doubt`.
 *
 * @throws McpTxError `CONFIG_INVALID`, also at the first use; from then on `LEDGER_UNAVAILABLE`, and `LEDGER_CORRUPT` for good
 * once the store has lost writes that this process has seen.
 */
export function redisLedger(options: RedisLedgerOptions): RedisLedger {
  return new OpenLedger(openWith(options));
}

class OpenLedger implements RedisLedger {
  readonly durability: Durability;
  readonly shared = true;
  readonly #connection: Connection;
  /** Asked for and not answered yet. */
  #underWay = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #isClosed = false;

  constructor(open: OpenRedisLedger) {
    this.durability = open.durability;
    this.#connection = new Connection(open);
  }

  async claim(request: ClaimRequest): Promise<Claim> {
    return toClaim(request, await this.#run('claim', claimArguments(request)));
  }

  async markSent(lease: Lease, attempt: number): Promise<boolean> {
    return isOne(await this.#run('markSent', [...leaseArguments(lease), lease.leaseMs, attempt]));
  }

  async renewAll(leases: readonly Lease[]): Promise<readonly boolean[]> {
    this.#requireOpen();
    const renewed: boolean[] = [];
    for (let from = 0; from < leases.length; from += AT_ONCE) {
      const some = leases.slice(from, from + AT_ONCE);
      const [told] = await this.#run(
        'renew',
        some.flatMap((lease) => [...leaseArguments(lease), lease.leaseMs]),
      );
      renewed.push(...(told as readonly unknown[]).map(isYes));
    }
    return renewed;
  }

  async release(lease: Lease, { attempts, hold }: Released): Promise<boolean> {
    return isOne(await this.#run('release', [...leaseArguments(lease), lease.leaseMs, attempts, hold ? 1 : 0]));
  }

  async settle(lease: Lease, outcome: Outcome): Promise<boolean> {
    return isOne(await this.#run('settle', [...leaseArguments(lease), outcome.state, ...outcomeArguments(outcome)]));
  }

  async resolve(operationId: string, { outcome, by, reason }: Resolution): Promise<ResolveResult> {
    const line = JSON.stringify({ by, state: outcome.state, reason });
    const args = [operationId, outcome.state, ...outcomeArguments(outcome), by, line];
    const [kind, flat] = await this.#run('resolve', args);
    if (kind === 'not_found') return { kind };
    return { kind: kind as Exclude<ResolveResult['kind'], 'not_found'>, record: toRecord(flat) };
  }

  async find(operationId: string): Promise<OperationRecord | undefined> {
    const [flat] = await this.#run('find', [operationId]);
    return flat === undefined ? undefined : toRecord(flat);
  }

  async sweep(limit: number, serverName?: string): Promise<readonly Swept[]> {
    const args = [Math.min(limit, AT_ONCE), optional(serverName), OWNER_LOST];
    const [told, damaged] = await this.#run('sweep', args);
    return readable(told as readonly (readonly unknown[])[], damaged, ([action, flat]) => ({
      action: action as Swept['action'],
      record: toRecord(flat),
    }));
  }

  list(query: ListQuery): Promise<Page> {
    return this.#use(() => reader.list(this.#connection, query));
  }

  stats(query: Omit<ListQuery, 'limit' | 'cursor'>): Promise<Stats> {
    return this.#use(() => reader.stats(this.#connection, query));
  }

  audit(operationId: string): Promise<readonly AuditLine[]> {
    return this.#use(() => reader.audit(this.#connection, operationId));
  }

  async purge(before: number, limit: number): Promise<number> {
    let removed = 0;
    while (removed < limit) {
      const wanted = Math.min(limit - removed, AT_ONCE);
      const [count, damaged] = await this.#run('purge', [before, wanted]);
      removed += Number(count);
      if (removed === 0) readable([], damaged, toRecord);
      if (Number(count) < wanted) break;
    }
    return removed;
  }

  /** Waits for what was asked before. A client of the user's goes on: it is not ours. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#underWay > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    this.#connection.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(name: Parameters<Connection['run']>[0], args: readonly (string | number)[]): Promise<Reply> {
    return this.#use(() => this.#connection.run(name, args));
  }

  async #use<T>(work: () => Promise<T>): Promise<T> {
    this.#requireOpen();
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle?.resolve();
    }
  }

  #requireOpen(): void {
    if (!this.#isClosed) return;
    throw new McpTxError('LEDGER_CLOSED', 'The ledger was closed. Close it after everything that uses it.');
  }
}

function claimArguments(request: ClaimRequest): readonly (string | number)[] {
  const { quarantine } = request;
  return [
    ...[
      request.operationId,
      keptDigest(request.operationId, request.digest),
      request.scope,
      request.serverName,
      request.tool,
      request.requestId,
    ],
    ...[request.ownerToken, request.state, request.mode, request.leaseMs, request.maxAttempts, request.deadlineInMs],
    ...[request.settleWindowMs, request.retentionMs, optional(request.idempotencyKey), optional(request.fingerprint)],
    ...[optional(request.arguments), optional(quarantineOf(request)), quarantine?.windowMs ?? 0],
    optional(quarantine?.repeatOf),
  ];
}

/** Who called what with which arguments, as the name of a set. */
function quarantineOf({ quarantine, fingerprint, scope, serverName }: ClaimRequest): string | undefined {
  if (quarantine === undefined || fingerprint === undefined) return undefined;
  const said = JSON.stringify([scope, serverName, quarantine.session, fingerprint]);
  return createHash('sha256').update(said).digest('hex');
}

/** The record's number is the lease's handle. A lease that came without one, from another process, holds by fence and token. */
function leaseArguments({ operationId, fence, ownerToken, handle }: Lease): readonly (string | number)[] {
  return [operationId, fence, ownerToken, optional(typeof handle === 'string' ? handle : undefined)];
}

function toClaim(request: ClaimRequest, reply: Reply): Claim {
  const [kind, ...told] = reply as readonly [Claim['kind'], ...unknown[]];
  switch (kind) {
    case 'claimed': {
      const [fence, attempts, attemptLimit, handle, takenOver] = told;
      const { operationId, ownerToken, leaseMs } = request;
      const lease: Lease = { operationId, fence: Number(fence), ownerToken, leaseMs, handle: String(handle) };
      const claim = { kind, lease, attempts: Number(attempts), attemptLimit: Number(attemptLimit) } as const;
      return takenOver === undefined ? claim : { ...claim, takenOver: toRecord(takenOver) };
    }
    case 'busy':
      return { kind, leaseLeftMs: Number(told[0]), record: toRecord(told[1]) };
    case 'replay':
    case 'in_doubt':
      return { kind, record: toRecord(told[0]) };
    case 'repeat':
      return { kind, operationId: String(told[0]) };
    default:
      return { kind };
  }
}

function isOne([told]: Reply): boolean {
  return isYes(told);
}

/** A client may be set up to give numbers as texts. */
function isYes(told: unknown): boolean {
  return Number(told) === 1;
}
