// Tortures a ledger: workers killed and paused, its server killed, its connections cut, its disk filled, its last writes lost.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationRecord } from '@mcp-tx/core';
import type { Service, TcpProxy } from '@mcp-tx/testing/services';
import { startTcpProxy } from '@mcp-tx/testing/services';
import type { MeasureContext } from 'measure';
import { seededRandom, UsageError } from 'measure';
import type { Count } from './count.ts';
import { count, inWords } from './count.ts';
import { killOnce } from './kill-store.ts';
import type { KillReport } from './kill-workers.ts';
import { killWorkers } from './kill-workers.ts';
import { loseWrites } from './lose-writes.ts';
import type { PacedFaults } from './paced-faults.ts';
import { pacedFaults } from './paced-faults.ts';
import type { SmallDisk } from './small-disk.ts';
import { mountSmallDisk } from './small-disk.ts';
import type { StoreKind } from './store.ts';
import { openStore, startStore } from './store.ts';
import type { ServerKind } from './tool-server.ts';
import { toolsOf } from './tool-server.ts';
import { TIMES } from './work.ts';

/** Flags of a run. */
export interface LedgerFlags {
  readonly ledger: StoreKind;
  readonly server: ServerKind;
  readonly kills: number;
  readonly pauses: number;
  readonly cuts: number;
  readonly 'store-kills': number;
  readonly 'disk-full': number;
  readonly 'lost-writes': number;
  readonly operations: number;
  readonly concurrency: number;
}

const WITHIN_MS = 1_000;
const GIVE_UP_REFUSAL_MS = 20_000;

/** Runs it, and judges. @throws UsageError for faults that this store cannot have */
export async function tortureLedger(context: MeasureContext, flags: LedgerFlags): Promise<void> {
  requirePossible(flags);
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-torture-'));
  const disk = flags['disk-full'] > 0 ? mountSmallDisk(join(folder, 'disk')) : undefined;
  try {
    await runFaults(context, flags, folder, disk);
    for (let n = 0; n < flags['lost-writes']; n += 1) await runLoss(context, flags, join(folder, `loss-${n}`), n);
  } finally {
    disk?.unmount();
    rmSync(folder, { recursive: true, force: true });
  }
}

function requirePossible(flags: LedgerFlags): void {
  const isFile = flags.ledger === 'sqlite';
  const must = (holds: boolean, says: string): void => {
    if (!holds) throw new UsageError(says);
  };
  must(!isFile || flags['store-kills'] === 0, 'a file has no server to kill: leave out --store-kills');
  must(!isFile || flags.cuts === 0, 'a file has no connections to cut: leave out --cuts');
  must(isFile || flags['disk-full'] === 0, '--disk-full is for --ledger sqlite');
  must(flags.ledger === 'redis' || flags['lost-writes'] === 0, '--lost-writes is for --ledger redis');
}

async function runFaults(context: MeasureContext, flags: LedgerFlags, folder: string, disk?: SmallDisk): Promise<void> {
  const { kills, pauses, operations, concurrency } = flags;
  const store = await startStore(flags.ledger, disk?.folder ?? folder);
  const proxy = flags.cuts > 0 ? await startTcpProxy(store.address.port) : undefined;
  const random = seededRandom(context.seed);
  const tools = toolsOf(flags.server, folder);
  const refusals = { count: 0 };
  const faults = planFaults(flags, { random, refusals, disk, proxy, service: store.service });
  for (const kind of ['kill -9', ...(pauses > 0 ? [PAUSES] : []), ...faults.keys()]) context.planFault(kind);
  try {
    const job = { store: { ...store.address, port: proxy?.port ?? store.address.port }, server: tools.start };
    const report = await killWorkers(
      { ...job, operations, concurrency },
      {
        ...{ kills, pauses, random, signal: context.signal },
        onProgress: (done) => context.progress(done, kills, 'workers killed'),
        onAnswered(answered) {
          for (const fault of faults.values()) fault.moved(answered);
        },
        onRefused() {
          refusals.count += 1;
        },
      },
    ).finally(() => Promise.all([...faults.values()].map((fault) => fault.stop())));
    const injected = new Map([['kill -9', report.kills]]);
    if (pauses > 0) injected.set(PAUSES, report.pauses);
    for (const [kind, fault] of faults) injected.set(kind, await fault.stop());
    for (const [kind, times] of injected) context.fault(kind, times);
    const { ledger, close } = openStore(store.address);
    const tally = await count(ledger, tools.effects(), operations);
    const { records } = await ledger.list({ states: ['in_doubt'], limit: 1_000 });
    await close();
    context.figure('operations', operations);
    tell(context, report, { ...tally, listed: records.length });
    judge(context, flags, { ...tally, listed: records, report, injected });
  } finally {
    await proxy?.close();
    await store.service?.stop();
  }
}

const PAUSES = 'SIGSTOP beyond the lease';
const STORE_KILLS = 'kill -9 of the store';
const CUTS = 'connection cut in a request or its reply';
const FULL = 'disk full';
const LOSS = 'last writes lost';

interface Means {
  readonly random: () => number;
  readonly refusals: { readonly count: number };
  readonly disk: SmallDisk | undefined;
  readonly proxy: TcpProxy | undefined;
  readonly service: Service | undefined;
}

/** The faults that come beside the workers' ends, by name. */
function planFaults(flags: LedgerFlags, means: Means): ReadonlyMap<string, PacedFaults> {
  const { random, refusals, disk, proxy, service } = means;
  const faults = new Map<string, PacedFaults>();
  const plan = (kind: string, times: number, inject: () => Promise<boolean>): void => {
    if (times > 0) faults.set(kind, pacedFaults(times, flags.operations, random, inject));
  };
  if (service !== undefined) plan(STORE_KILLS, flags['store-kills'], () => killOnce(service, random));
  if (proxy !== undefined) plan(CUTS, flags.cuts, () => proxy.cutNext(random() < 0.5 ? 'request' : 'reply', WITHIN_MS));
  if (disk !== undefined) plan(FULL, flags['disk-full'], () => fillUntilRefused(disk, refusals));
  return faults;
}

/** Full until a worker was told so. */
async function fillUntilRefused(disk: SmallDisk, refusals: { readonly count: number }): Promise<boolean> {
  const before = refusals.count;
  const giveUpAt = performance.now() + GIVE_UP_REFUSAL_MS;
  disk.fill();
  while (refusals.count === before && performance.now() < giveUpAt) await sleep(20);
  await sleep(TIMES.leaseMs / 2);
  disk.makeRoom();
  return refusals.count > before;
}

function tell(context: MeasureContext, report: KillReport, { listed, ...tally }: Count & { listed: number }): void {
  const { kills, pauses, errors } = report;
  const figures = { kills, pauses, ...tally, inDoubtListed: listed, refusals: errors.LEDGER_UNAVAILABLE ?? 0 };
  for (const [id, value] of Object.entries(figures)) context.figure(id, value);
}

interface Seen extends Count {
  readonly report: KillReport;
  readonly listed: readonly OperationRecord[];
  readonly injected: ReadonlyMap<string, number>;
}

function judge(context: MeasureContext, flags: LedgerFlags, seen: Seen): void {
  const { inDoubt, listed, report } = seen;
  const must = (id: string, holds: boolean, says: string): void => {
    if (!holds) context.violation(id, says);
  };
  must('duplicates', seen.duplicates === 0, `${seen.duplicates} effects happened more than once`);
  must('lost', seen.lost === 0, `${seen.lost} operations are nowhere`);
  must('unfinished', seen.unfinished === 0, `${seen.unfinished} operations were left half-way`);
  must('honest', seen.completedWithoutEffect === 0, `${seen.completedWithoutEffect} answers contradict the effects`);
  must('contradicted', seen.contradicted === 0, `${seen.contradicted} operations were told two ends`);
  const ended = seen.completed + seen.failed + inDoubt;
  must('sum', ended === flags.operations, 'completed, failed and in doubt do not add up');
  const explained = seen.completed + seen.inDoubtThatRan;
  must('effects', seen.effects === explained, 'effects are not completed plus in doubt that ran');
  const underWay = (report.kills + report.pauses) * flags.concurrency;
  must('inDoubt', inDoubt <= underWay, `${inDoubt} are in doubt, more than were under way at the kills`);
  const untyped = report.errors.untyped ?? 0;
  must('typed', untyped === 0, `${untyped} refusals of the ledger were no error of ours`);
  must('listed', listed.length === Math.min(inDoubt, 1_000), `${listed.length} of ${inDoubt} in doubt are listed`);
  if (flags.server === 'aware')
    must('aware', inDoubt === 0, `in doubt, though the server recognises repeats: ${listed.map(inWords).join('; ')}`);
  const asked = { 'kill -9': flags.kills, [PAUSES]: flags.pauses, [CUTS]: flags.cuts };
  const more = { [STORE_KILLS]: flags['store-kills'], [FULL]: flags['disk-full'] };
  for (const [kind, times] of Object.entries({ ...asked, ...more })) {
    const came = seen.injected.get(kind) ?? 0;
    must('plan', came === times, `${kind}: ${came} of ${times} came`);
  }
}

async function runLoss(context: MeasureContext, flags: LedgerFlags, folder: string, n: number): Promise<void> {
  if (n === 0) context.planFault(LOSS);
  context.progress(n, flags['lost-writes'], 'stores that lost writes');
  mkdirSync(folder);
  const seen = await loseWrites(folder, flags.server, seededRandom(context.seed + n), context.signal);
  context.fault(LOSS);
  for (const [id, value] of Object.entries(seen)) context.figure(`loss-${n}.${id}`, value);
  if (seen.refused === 0) context.violation('loss', 'nobody noticed that writes were lost');
  if (seen.effectsAfter > 0) context.violation('loss', `${seen.effectsAfter} effects came after the loss`);
  if (seen.duplicates > 0) context.violation('loss', `${seen.duplicates} effects happened more than once`);
  if (seen.unanswered > 0) context.violation('loss', `${seen.unanswered} operations got no answer`);
}
