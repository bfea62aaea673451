/** Looks after operations that nobody drives: leases that ran out, doubt that a probe may end, stored calls that never ran. */
import type { ServerConnection } from '../connect/server-source.ts';
import type { EventHub } from '../engine/call-events.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerReader } from '../ledger/ledger-reader.ts';
import { isLedgerReader } from '../ledger/ledger-reader.ts';
import type { OperationRecord, Resolution } from '../ledger/record.ts';
import type { ProbeOperation, ProbeVerdict } from '../policy/settings.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { giveUp } from './give-up.ts';

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
export interface SweepKit {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly events: EventHub;
  readonly serverName: string;
  readonly connection: ServerConnection;
  readonly newId: () => string;
  readonly retentionMs: number;
  readonly isReadOnly: (tool: string) => boolean;
  /** When this process first saw an operation in doubt, by `monotonic()`. */
  readonly firstSeen: Map<string, number>;
  /** The instance is closing: come to an end. */
  readonly isStopped: () => boolean;
  readonly probe: (operation: ProbeOperation) => Promise<ProbeVerdict>;
  readonly hasProbe: (tool: string) => boolean;
  /** Runs a stored call that was never sent. */
  readonly run: (record: OperationRecord) => Promise<void>;
}

const BATCH = 100;

/** Sweeps now and then in the background; one sweep at a time. */
export class Sweeper {
  readonly #kit: SweepKit;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #running: Promise<SweepReport> | undefined;
  #isStopped = false;

  constructor(kit: SweepKit, intervalMs: number) {
    this.#kit = kit;
    this.#intervalMs = intervalMs;
  }

  /** Begins to sweep; the first one comes at once. */
  start(): void {
    if (this.#isStopped || this.#timer !== undefined || this.#intervalMs === 0) return;
    this.#schedule(0);
  }

  /** Sweeps now, or joins the sweep that is under way. */
  sweep(): Promise<SweepReport> {
    this.#running ??= sweepOnce(this.#kit).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running?.catch(() => undefined);
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#kit.clock.timer(delayMs, () => void this.#tick(), { background: true });
  }

  async #tick(): Promise<void> {
    try {
      await this.sweep();
    } catch (error) {
      this.#kit.events.emit('hook.failed', { hook: 'sweep', error });
    }
    if (!this.#isStopped) this.#schedule(this.#intervalMs);
  }
}

async function sweepOnce(kit: SweepKit): Promise<SweepReport> {
  const report = { inDoubt: 0, released: 0, run: 0, probed: 0, resolved: 0, purged: 0 };
  for (let round = 0; round < 100 && !kit.isStopped(); round += 1) {
    const swept = await kit.ledger.sweep(BATCH);
    let others = 0;
    for (const { action, record } of swept) {
      const done = action === 'runnable' ? await guarded(kit, 'run', () => drive(kit, record)) : action;
      if (done === undefined) others += 1;
      else count(report, done);
    }
    if (swept.length < BATCH || others === swept.length) break; // what is left belongs to other servers
  }
  if (!isLedgerReader(kit.ledger)) return report;
  await eachRecord(kit, kit.ledger, 'sent', async (record) => {
    if (record.leaseUntil !== 0 || record.deadlineAt > kit.clock.now()) return;
    const done = await abandon(kit, record); // freed by an earlier sweep, and nobody came
    if (done !== undefined) count(report, done);
  });
  await eachRecord(kit, kit.ledger, 'in_doubt', async (record) => {
    const taskId = record.outcome?.state === 'in_doubt' ? record.outcome.taskId : undefined;
    if (taskId === undefined && !kit.hasProbe(record.tool)) return;
    report.probed += 1;
    if (await probeRecord(kit, record, taskId)) report.resolved += 1;
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

/** A stored call that nobody drives: run while its deadline lasts, given up after it. Another server's is left alone. */
async function drive(kit: SweepKit, record: OperationRecord): Promise<'in_doubt' | 'released' | 'run' | undefined> {
  if (record.serverName !== kit.serverName) return undefined;
  if (record.deadlineAt <= kit.clock.now()) return abandon(kit, record);
  await kit.run(record);
  return 'run';
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

/** Asks about one operation in doubt; `true` when that ended it. */
async function probeRecord(kit: SweepKit, record: OperationRecord, taskId: string | undefined): Promise<boolean> {
  const firstSeenAt = kit.firstSeen.get(record.operationId) ?? kit.clock.monotonic();
  kit.firstSeen.set(record.operationId, firstSeenAt);
  const ofTask = taskId === undefined ? undefined : await askTask(kit, taskId);
  const found = ofTask?.verdict === 'completed' ? ofTask : await kit.probe(describe(record));
  // Told by our own clock since we first saw it: another machine's clock, or the store's, may be ahead of ours.
  const isTooLate = kit.clock.monotonic() > firstSeenAt + record.settleWindowMs;
  const resolution = resolutionOf(found, isTooLate);
  if (resolution === undefined) return false;
  const answer = await kit.ledger.resolve(record.operationId, resolution);
  if (answer.kind !== 'resolved') return false;
  const { operationId } = record;
  kit.firstSeen.delete(operationId);
  kit.events.emit('operation.resolved', { operationId, by: resolution.by, outcome: resolution.outcome.state });
  return true;
}

/** `absent` counts only once the send can no longer take effect. */
function resolutionOf(found: ProbeVerdict, isTooLate: boolean): Resolution | undefined {
  if (found.verdict === 'completed') {
    const outcome = { state: 'completed', result: JSON.stringify(found.result) } as const;
    return { outcome, by: 'probe', reason: 'the probe found that it happened' };
  }
  if (found.verdict === 'unknown' || !isTooLate) return undefined;
  const error = { code: 'NOT_EXECUTED', message: 'a probe found that it did not happen' } as const;
  return { outcome: { state: 'failed', error }, by: 'probe', reason: 'the probe found that it did not happen' };
}

async function askTask(kit: SweepKit, taskId: string): Promise<ProbeVerdict> {
  const status = await kit.connection.taskStatus?.(taskId, new AbortController().signal).catch(() => undefined);
  return status?.state === 'completed' ? { verdict: 'completed', result: status.result } : { verdict: 'unknown' };
}

/** What a probe is told of a record. */
function describe(record: OperationRecord): ProbeOperation {
  return {
    operationId: record.operationId,
    tool: record.tool,
    scope: record.scope,
    attempts: record.attempts,
    ...(record.idempotencyKey === undefined ? {} : { idempotencyKey: record.idempotencyKey }),
    ...(record.sentAt === undefined ? {} : { sentAt: record.sentAt }),
    ...(record.arguments === undefined ? {} : { arguments: JSON.parse(record.arguments) as Record<string, unknown> }),
  };
}
