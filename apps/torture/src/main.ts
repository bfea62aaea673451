// torture: kill -9 of workers in the middle of calls, over a real ledger, with the effects counted by the tool server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeasureContext } from 'measure';
import { runMeasured, seededRandom, UsageError } from 'measure';
import { count } from './count.ts';
import { killStore } from './kill-store.ts';
import { killWorkers } from './kill-workers.ts';
import type { QueueName } from './queues/queue.ts';
import { QUEUES } from './queues/queue.ts';
import type { StoreKind } from './store.ts';
import { openStore, STORES, startStore } from './store.ts';
import type { ServerKind } from './tool-server.ts';
import { toolsOf } from './tool-server.ts';
import { tortureQueue } from './torture-queue.ts';

const STORE_KILL_EVERY_MS = 1_500;

interface Flags {
  readonly queue: 'none' | QueueName;
  readonly ledger: StoreKind;
  readonly server: ServerKind;
  readonly 'store-kills': number;
  readonly kills: number;
  readonly operations: number;
  readonly concurrency: number;
}

await runMeasured({
  command: 'torture',
  about: 'kills workers in the middle of calls and counts what really happened',
  flags: {
    queue: {
      kind: 'choice',
      says: 'calls go through this queue, whose broker is killed, too; on both tool servers, and bare beside it',
      default: 'none',
      choices: ['none', ...QUEUES],
    },
    ledger: { kind: 'choice', says: 'where operations are recorded', default: 'sqlite', choices: STORES },
    server: {
      kind: 'choice',
      says: 'whether the tool server recognises repeats',
      default: 'plain',
      choices: ['plain', 'aware'],
    },
    kills: { kind: 'integer', says: 'workers to kill', default: 40, min: 1, max: 100_000 },
    'store-kills': {
      kind: 'integer',
      says: 'how often the server of the store is killed and started again',
      default: 0,
      min: 0,
      max: 10_000,
    },
    operations: {
      kind: 'integer',
      says: 'operations in all, 0: 1,000, or 3,000 jobs',
      default: 0,
      min: 0,
      max: 10_000_000,
    },
    concurrency: { kind: 'integer', says: 'calls under way at once in a worker', default: 8, min: 1, max: 64 },
  },
  run,
});

async function run(context: MeasureContext<Flags>): Promise<void> {
  const { kills, concurrency, queue, 'store-kills': storeKills } = context.flags;
  const operations = context.flags.operations || (queue === 'none' ? 1_000 : 3_000);
  if (queue !== 'none') return tortureQueue(context, { ...context.flags, queue, operations });
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-torture-'));
  const store = await startStore(context.flags.ledger, folder);
  if (storeKills > 0 && store.service === undefined)
    throw new UsageError('a file has no server to kill: leave out --store-kills');
  try {
    const tools = toolsOf(context.flags.server, folder);
    context.planFault('kill -9');
    if (storeKills > 0) context.planFault('kill -9 of the store');
    const onProgress = (done: number): void => context.progress(done, kills, 'workers killed');
    const random = seededRandom(context.seed);
    const killer = store.service && killStore(store.service, storeKills, STORE_KILL_EVERY_MS, random);
    const plan = { kills, random, onProgress, signal: context.signal };
    const job = { store: store.address, server: tools.start, operations, concurrency };
    const report = await killWorkers(job, plan).finally(() => killer?.stop());
    context.fault('kill -9', report.kills);
    if (storeKills > 0) context.fault('kill -9 of the store', (await killer?.stop()) ?? 0);
    const { ledger, close } = openStore(store.address);
    const tally = await count(ledger, tools.effects(), operations);
    const listed = (await ledger.list({ states: ['in_doubt'], limit: 1_000 })).records.length;
    await close();
    for (const [id, value] of Object.entries({ kills: report.kills, operations, ...tally, inDoubtListed: listed }))
      context.figure(id, value);
    judge(context, { ...tally, kills: report.kills, listed });
  } finally {
    await store.service?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(
  context: MeasureContext<Flags>,
  seen: Awaited<ReturnType<typeof count>> & { readonly kills: number; readonly listed: number },
): void {
  const { flags } = context;
  const must = (id: string, holds: boolean, says: string): void => {
    if (!holds) context.violation(id, says);
  };
  must('duplicates', seen.duplicates === 0, `${seen.duplicates} effects happened more than once`);
  must('lost', seen.lost === 0, `${seen.lost} operations are nowhere`);
  must('unfinished', seen.unfinished === 0, `${seen.unfinished} operations were left half-way`);
  must('honest', seen.completedWithoutEffect === 0, `${seen.completedWithoutEffect} answers contradict the effects`);
  must(
    'sum',
    seen.completed + seen.failed + seen.inDoubt === flags.operations,
    'completed, failed and in doubt do not add up',
  );
  must(
    'effects',
    seen.effects === seen.completed + seen.inDoubtThatRan,
    'effects are not completed plus in doubt that ran',
  );
  must(
    'inDoubt',
    seen.inDoubt <= seen.kills * flags.concurrency,
    `${seen.inDoubt} are in doubt, more than were under way at the kills`,
  );
  must(
    'listed',
    seen.listed === Math.min(seen.inDoubt, 1_000),
    `${seen.listed} of ${seen.inDoubt} in doubt are listed`,
  );
  if (flags.server === 'aware')
    must('aware', seen.inDoubt === 0, `${seen.inDoubt} are in doubt, though the server recognises repeats`);
  must('kills', seen.kills === flags.kills, `${seen.kills} of ${flags.kills} workers were killed`);
}
