/** Looks after operations that nobody drives: leases that ran out, doubt that a probe may end, stored calls that never ran. */

import type { Swept } from '../ledger/ledger.ts';
import type { LedgerReader } from '../ledger/ledger-reader.ts';
import { isLedgerReader } from '../ledger/ledger-reader.ts';
import type { OperationRecord } from '../ledger/record.ts';
import type { Timer } from '../runtime/clock.ts';
import { giveUp } from './give-up.ts';
import type { ProbeRecordKit } from './probe-record.ts';
import { canBeProbed, probeRecord } from './probe-record.ts';
import { lastsUntil } from './resume-plan.ts';

/** What one sweep did. */
export interface SweepReport {
  /** Operations whose owner was lost after the send: in doubt from now on. */
  readonly inDoubt: number;
  /** Operations freed for whoever has their key. */
  readonly released: number;
  /** Stored calls that had not been sent, and were run. */
  readonly run: number;
  /** Operations in doubt that a probe was asked about. */
  readonly probed: number;
  /** Of these, ended. */
  readonly resolved: number;
  /** Expired records removed. */
  readonly purged: number;
}

/** What a sweep works with. */
export interface SweepKit extends ProbeRecordKit {
  readonly newId: () => string;
  readonly retentionMs: number;
  readonly isReadOnly: (tool: string) => boolean;
  /** The instance is closing: come to an end. */
  readonly isStopped: () => boolean;
  /** Runs a stored call that was never sent; `false`: nothing ran. */
  readonly run: (record: OperationRecord) => Promise<boolean>;
}

const BATCH = 100;
/** Stored calls that a sweep runs side by side. */
const AT_ONCE = 8;
/** Distance of sweeps while a server is at work on a task, ms, if they are not closer anyway. */
const TASK_POLL_MS = 5_000;
/** Least distance of sweeps that are not asked for by a user, ms: a server that is lost and found all the time is no reason for more. */
const LEAST_DISTANCE_MS = 1_000;

/** Sweeps now and then in the background; one sweep at a time. */
export class Sweeper {
  readonly #kit: SweepKit;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #dueAt = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<SweepReport> | undefined;
  #isStopped = false;
  /** Something changed during a sweep, which may have looked before. */
  #isWantedAgain = false;

  constructor(kit: SweepKit, intervalMs: number) {
    this.#kit = kit;
    this.#intervalMs = intervalMs;
  }

  /** Begins to sweep; the first one comes at once. */
  start(): void {
    if (this.#isStopped || this.#timer !== undefined || this.#intervalMs === 0) return;
    this.#schedule(0);
  }

  /**
   * Something has changed for operations in doubt: sweeps in `delayMs`, unless a sweep comes sooner. One that is under way will
   * do, unless `isNews`: what a sweep itself has caused must not make another one follow.
   */
  soon(delayMs: number, isNews = false): void {
    if (this.#isStopped || this.#intervalMs === 0) return;
    if (this.#running !== undefined) {
      this.#isWantedAgain ||= isNews;
      return;
    }
    const now = this.#kit.clock.monotonic();
    const wait = Math.max(delayMs, this.#endedAt + LEAST_DISTANCE_MS - now);
    const isSooner = this.#timer !== undefined && this.#dueAt <= now + wait;
    if (!isSooner) this.#schedule(Math.min(wait, this.#intervalMs));
  }

  /** Sweeps now, or joins the sweep that is under way. */
  sweep(): Promise<SweepReport> {
    this.#running ??= sweepOnce(this.#kit).finally(() => {
      this.#endedAt = this.#kit.clock.monotonic();
      this.#running = undefined;
      if (!this.#isWantedAgain) return;
      this.#isWantedAgain = false;
      this.soon(0);
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running?.catch(() => undefined);
  }

  #schedule(delayMs: number): void {
    const { clock } = this.#kit;
    this.#timer?.cancel();
    this.#dueAt = clock.monotonic() + delayMs;
    this.#timer = clock.timer(delayMs, () => void this.#tick(), { background: true });
  }

  async #tick(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      await this.sweep();
    } catch (error) {
      this.#kit.events.emit('hook.failed', { hook: 'sweep', error });
    }
    const { working } = this.#kit;
    if (!this.#isStopped) this.soon(working.size > 0 ? Math.min(TASK_POLL_MS, this.#intervalMs) : this.#intervalMs);
  }
}

async function sweepOnce(kit: SweepKit): Promise<SweepReport> {
  const report = { inDoubt: 0, released: 0, run: 0, probed: 0, resolved: 0, purged: 0 };
  for (let round = 0; round < 100 && !kit.isStopped(); round += 1) {
    const swept = await kit.ledger.sweep(BATCH, kit.serverName);
    let failed = 0;
    for (let next = 0; next < swept.length && !kit.isStopped(); next += AT_ONCE) {
      for (const done of await Promise.all(swept.slice(next, next + AT_ONCE).map((one) => handle(kit, one)))) {
        if (done === undefined) failed += 1;
        else count(report, done);
      }
    }
    if (swept.length < BATCH || failed === swept.length) break; // what is left cannot be run now
  }
  if (!isLedgerReader(kit.ledger)) return report;
  await eachRecord(kit, kit.ledger, 'sent', async (record) => {
    if (record.leaseUntil !== 0 || record.deadlineAt > kit.clock.now()) return;
    const done = await abandon(kit, record); // freed by an earlier sweep, and nobody came
    if (done !== undefined) count(report, done);
  });
  await eachRecord(kit, kit.ledger, 'in_doubt', async (record) => {
    if (!canBeProbed(kit, record)) return;
    report.probed += 1;
    if ((await probeRecord(kit, record)).record.state !== 'in_doubt') report.resolved += 1;
  });
  report.purged = await kit.ledger.purge(kit.clock.now(), 1_000);
  return report;
}

function count(
  report: { inDoubt: number; released: number; run: number },
  done: 'in_doubt' | 'released' | 'run',
): void {
  if (done === 'in_doubt') report.inDoubt += 1;
  else if (done === 'released') report.released += 1;
  else report.run += 1;
}

async function handle(kit: SweepKit, { action, record }: Swept): ReturnType<typeof drive> {
  return action === 'runnable' ? guarded(kit, 'run', () => drive(kit, record)) : action;
}

/** A stored call that nobody drives: run while its deadline lasts, given up after it. */
async function drive(kit: SweepKit, record: OperationRecord): Promise<'in_doubt' | 'released' | 'run' | undefined> {
  if (lastsUntil(record) <= kit.clock.now()) return abandon(kit, record);
  return (await kit.run(record)) ? 'run' : undefined;
}

function abandon(kit: SweepKit, record: OperationRecord): ReturnType<typeof giveUp> {
  const { retentionMs, isReadOnly, newId } = kit;
  return giveUp(kit.ledger, record, { token: `sweep_${newId()}`, retentionMs, isReadOnly: isReadOnly(record.tool) });
}

/** One record never keeps a sweep from the others. */
async function guarded<T>(kit: SweepKit, what: string, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    kit.events.emit('hook.failed', { hook: `sweep: ${what}`, error });
    return undefined;
  }
}

/** All records of this server in one state, page by page. */
async function eachRecord(
  kit: SweepKit,
  ledger: LedgerReader,
  state: 'sent' | 'in_doubt',
  act: (record: OperationRecord) => Promise<void>,
): Promise<void> {
  let cursor: string | undefined;
  do {
    const query = { states: [state], serverName: kit.serverName, limit: BATCH };
    const page = await ledger.list(cursor === undefined ? query : { ...query, cursor });
    for (const record of page.records) {
      if (kit.isStopped()) return;
      await guarded(kit, state, () => act(record));
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
