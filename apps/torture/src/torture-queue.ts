// Tortures a queue: workers killed, connections cut, the broker killed and started again; on an aware server, on a plain one, and bare.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { countEffects } from '@mcp-tx/testing/faulty-server';
import type { MeasureContext } from 'measure';
import { seededRandom } from 'measure';
import { count, inWords } from './count.ts';
import { startQueueWorkers } from './kill-queue-workers.ts';
import { killStore } from './kill-store.ts';
import { QUEUE_KINDS } from './queues/kinds.ts';
import type { Broker, Flavour, Producer, QueueName, QueueState } from './queues/queue.ts';
import type { StoreKind } from './store.ts';
import { openStore, startStore } from './store.ts';
import type { ServerKind, Tools } from './tool-server.ts';
import { toolsOf } from './tool-server.ts';
import { orderOf } from './work.ts';

/** Flags of a run. */
export interface QueueFlags {
  readonly queue: QueueName;
  readonly ledger: StoreKind;
  readonly kills: number;
  readonly operations: number;
  readonly concurrency: number;
}

/** A pass of a run. */
interface Pass {
  readonly id: 'aware' | 'plain' | 'bare';
  readonly flavour: Flavour;
  readonly server: ServerKind;
}

const PASSES: readonly Pass[] = [
  { id: 'aware', flavour: 'ours', server: 'aware' },
  { id: 'plain', flavour: 'ours', server: 'plain' },
  { id: 'bare', flavour: 'bare', server: 'plain' },
];
const BROKER_KILLS = 3;
/** A short run is over soon. */
const brokerKillEveryMs = (jobs: number): number => Math.min(4_000, Math.max(1_500, jobs * 4));
const GIVE_UP_MS = 15 * 60_000;

/** Runs all passes. What the bare queue does is told, not judged. */
export async function tortureQueue(context: MeasureContext, flags: QueueFlags): Promise<void> {
  for (const kind of ['kill -9', 'kill -9 of the broker', 'connections cut']) context.planFault(kind);
  for (const pass of PASSES) await runPass(context, flags, pass);
}

async function runPass(context: MeasureContext, flags: QueueFlags, pass: Pass): Promise<void> {
  const { operations, concurrency, kills } = flags;
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-torture-'));
  mkdirSync(folder, { recursive: true });
  const store = await startStore(flags.ledger, folder);
  const broker = await QUEUE_KINDS[flags.queue].start();
  try {
    const tools = toolsOf(pass.server, folder);
    const name = `pay-${pass.id}`;
    const producer = await broker.openProducer(name, pass.flavour);
    await producer.put(Array.from({ length: operations }, (_, n) => orderOf(n)));
    const random = seededRandom(context.seed);
    const onProgress = (done: number): void => context.progress(done, kills, `workers killed, ${pass.id}`);
    const address = { queue: flags.queue, address: broker.address, name, flavour: pass.flavour };
    const job = { ...address, store: store.address, server: tools.start, operations, concurrency };
    const workers = startQueueWorkers(job, { kills, random, onProgress, signal: context.signal });
    const faults = startFaults(broker, brokerKillEveryMs(operations), random);
    const state = await drained(producer, context.signal).finally(() => faults.stop());
    await workers.close();
    const injected = await faults.stop();
    context.fault('kill -9', workers.kills);
    context.fault('kill -9 of the broker', injected.brokerKills);
    context.fault('connections cut', injected.cuts);
    await producer.close();
    if (pass.flavour === 'bare') tellBare(context, operations, tools, state);
    else await judge(context, pass, flags, { tools, state, kills: workers.kills, store: store.address });
  } finally {
    await broker.service.stop();
    await store.service?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Faults {
  stop(): Promise<{ readonly brokerKills: number; readonly cuts: number }>;
}

function startFaults(broker: Broker, everyMs: number, random: () => number): Faults {
  const killer = killStore(broker.service, BROKER_KILLS, everyMs, random);
  const stopped = new AbortController();
  const cutting = (async () => {
    let cuts = 0;
    while (!stopped.signal.aborted) {
      await sleep(0.6 * everyMs * (0.5 + random()), undefined, { signal: stopped.signal }).catch(() => undefined);
      if (!stopped.signal.aborted) cuts += await broker.cutConnections();
    }
    return cuts;
  })();
  return {
    async stop() {
      stopped.abort();
      return { brokerKills: await killer.stop(), cuts: await cutting };
    },
  };
}

/** Waits until nothing is left in the queue, looking twice: between two looks a job may be on its way. */
async function drained(producer: Producer, signal: AbortSignal): Promise<QueueState> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  let wasEmpty = false;
  while (performance.now() < giveUpAt) {
    await sleep(200, undefined, { signal });
    const state = await producer.look().catch(() => undefined); // the broker is away
    const isEmpty = state?.pending === 0;
    if (isEmpty && wasEmpty && state !== undefined) return state;
    wasEmpty = isEmpty;
  }
  throw new Error('the queue was never drained');
}

function tellBare(context: MeasureContext, operations: number, tools: Tools, { deadLetters }: QueueState): void {
  const perOrder = countEffects(tools.effects(), 'orderId');
  let duplicates = 0;
  let lost = 0;
  for (let n = 0; n < operations; n += 1) {
    const happened = perOrder.get(orderOf(n)) ?? 0;
    duplicates += Math.max(0, happened - 1);
    if (happened === 0) lost += 1;
  }
  const figures = { effects: tools.effects().length, duplicates, lost, failed: deadLetters.length };
  for (const [id, value] of Object.entries(figures)) context.figure(`bare.${id}`, value);
  context.say(`bare: ${duplicates} effects too many in ${operations} jobs, ${lost} never happened (told, not judged)`);
}

interface Seen {
  readonly tools: Tools;
  readonly state: QueueState;
  readonly kills: number;
  readonly store: Parameters<typeof openStore>[0];
}

async function judge(context: MeasureContext, pass: Pass, flags: QueueFlags, seen: Seen): Promise<void> {
  const { ledger, close } = openStore(seen.store);
  const tally = await count(ledger, seen.tools.effects(), flags.operations);
  const listed = (await ledger.list({ states: ['in_doubt'], limit: 1_000 })).records;
  await close();
  const { deadLetters } = seen.state;
  const aside = new Set(deadLetters.map(({ order }) => order));
  const doubtful = deadLetters.filter(({ problem }) => problem?.code === 'IN_DOUBT').length;
  const figures = { kills: seen.kills, ...tally, inDoubtListed: listed.length, deadLetters: deadLetters.length };
  for (const [id, value] of Object.entries(figures)) context.figure(`${pass.id}.${id}`, value);
  const must = (id: string, holds: boolean, says: string): void => {
    if (!holds) context.violation(`${pass.id}.${id}`, says);
  };
  must('duplicates', tally.duplicates === 0, `${tally.duplicates} effects happened more than once`);
  must('lost', tally.lost === 0, `${tally.lost} jobs are nowhere`);
  must('lies', tally.completedWithoutEffect === 0, `${tally.completedWithoutEffect} did not happen as the ledger says`);
  must('unfinished', tally.unfinished === 0, `${tally.unfinished} operations were left half-way`);
  must('effects', tally.effects === tally.completed + tally.inDoubtThatRan, 'effects are not completed plus in doubt');
  must('listed', listed.length === tally.inDoubt, `${listed.length} of ${tally.inDoubt} in doubt are listed`);
  must('aside', deadLetters.length === tally.inDoubt, `${deadLetters.length} are put aside, ${tally.inDoubt} in doubt`);
  must('reasons', doubtful === deadLetters.length, `${doubtful} of ${deadLetters.length} are put aside as in doubt`);
  const missing = listed.filter(({ idempotencyKey = '' }) => !aside.has(idempotencyKey)).length;
  must('put aside', missing === 0, `${missing} in doubt are not put aside`);
  must(
    'inDoubt',
    tally.inDoubt <= seen.kills * flags.concurrency,
    `${tally.inDoubt} are in doubt after ${seen.kills} kills`,
  );
  if (pass.server === 'aware')
    must('aware', tally.inDoubt === 0, `in doubt on an aware server: ${listed.map(inWords).join('; ')}`);
  must('kills', seen.kills === flags.kills, `${seen.kills} of ${flags.kills} workers were killed`);
}
