// bench growth: what a ledger takes for each key, and what calls, replays and purges cost once it is large.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Ledger } from '@mcp-tx/core/ledger';
import type { MeasureContext, MeasuredProgram } from 'measure';
import { choiceAmong, chosen } from './chosen.ts';
import type { GrownStore } from './growth/grown-store.ts';
import { growMemory, growPostgres, growRedis, growSqlite, heapAfterGc } from './growth/grown-store.ts';
import { median } from './interleave.ts';
import { callThrough, replayThrough } from './ledger/subject.ts';

const STORES: Readonly<Record<string, (operations: number) => Promise<GrownStore>>> = {
  memory: growMemory,
  sqlite: growSqlite,
  postgres: growPostgres,
  redis: growRedis,
};
const CALLERS = 64;
/** Lone calls whose median is told. */
const SAMPLES = 400;
/** Growth after which a store is tidied: PostgreSQL's autovacuum comes when a fifth of a table has died. */
const TIDY_AFTER = 1.2;
/** Purged at once. */
const STEP = 5_000;
/** Goals: how much slower at the end than at a tenth of it; a purge of one record, µs; a heap that stays. */
const SLOWER_AT_MOST = { put: 1.3, hit: 1.8 } as const;
const PURGE_MICROS_AT_MOST = 6;
const HEAP_AT_MOST = 1.02;
/** Bytes over the same records written once: what updates leave behind, and what a ledger keeps beside its records. */
const OVER_STRAIGHT_AT_MOST = 1.2;
/** What does not blur, but for the machine: another store's server may be slow at a purge, and is told only. */
const IN_PROCESS: readonly string[] = ['memory', 'sqlite'];

const flags = {
  store: choiceAmong('which store', STORES),
  operations: { kind: 'integer', says: 'how many', default: 1_000_000, min: 10_000, max: 10_000_000 },
} as const;

interface Values {
  readonly store: string;
  readonly operations: number;
}
type Context = MeasureContext<Values>;

/** The program. */
export const growth: MeasuredProgram<typeof flags> = {
  command: 'bench growth',
  about: 'what a ledger takes for each key, and what calls and purges cost once it is large',
  seed: 1,
  flags,
  run,
};

async function run(context: Context): Promise<void> {
  for (const [name, open] of chosen(STORES, context.flags.store)) {
    const resourcesBefore = process.getActiveResourcesInfo().length;
    {
      await using store = await open(context.flags.operations);
      await grow(context, name, store);
    }
    await new Promise((resolve) => setTimeout(resolve, 200)); // what is closed goes in a turn or two
    const left = Math.max(0, process.getActiveResourcesInfo().length - resourcesBefore);
    context.figure(`${name}.resourcesLeft`, left);
    if (left > 0) context.violation(`G3.${name}`, `${left} timers, sockets or the like are left after the close`);
  }
}

async function grow(context: Context, name: string, store: GrownStore): Promise<void> {
  const { operations } = context.flags;
  const { ledger } = store;
  await fill(context, ledger, 0, operations / 100, name); // makes tables, warms up
  const [emptySize, from] = [await store.size(), operations / 100];
  await fill(context, ledger, from, operations / 10, name);
  const [early, heapEarly] = [await lone(ledger, operations / 10, 'early'), heapAfterGc()];
  for (let filled = operations / 10; filled < operations; ) {
    const next = Math.min(operations, Math.ceil(filled * TIDY_AFTER));
    await fill(context, ledger, filled, next, name);
    await store.tidy?.();
    filled = next;
  }
  const [late, heapLate] = [await lone(ledger, operations, 'late'), heapAfterGc()];
  const bytes = ((await store.size()) - emptySize) / (operations - from);
  await weigh(context, name, store, bytes);
  tell(context, `${name}.put`, late.put / early.put, SLOWER_AT_MOST.put, 'a call now over one at a tenth of it');
  tell(context, `${name}.hit`, late.hit / early.hit, SLOWER_AT_MOST.hit, 'a replay now over one at a tenth of it');
  if (name !== 'memory') tell(context, `${name}.heap`, heapLate / heapEarly, HEAP_AT_MOST, 'heap now over then');
  if (name === 'memory') fullGc(context, operations);
  await purge(context, name, store);
}

/** Where a goal in bytes would ask for less than the records take by themselves (docs/adr/0014), they are written straight down as well. */
async function weigh(context: Context, name: string, store: GrownStore, bytes: number): Promise<void> {
  const id = `${name}.bytesPerKey`;
  if (store.bytesAtMost !== 'told') return tell(context, id, bytes, store.bytesAtMost, 'bytes for each key');
  context.figure(id, Math.round(bytes));
  if (store.straightBytes === undefined) throw new Error(`${name} has neither a goal nor anything to be held against`);
  const straight = await store.straightBytes();
  context.figure(`${name}.straightBytes`, Math.round(straight));
  const says = `${Math.round(bytes)} bytes for each key, over ${Math.round(straight)} of the same records written straight down`;
  tell(context, `${name}.overStraight`, bytes / straight, OVER_STRAIGHT_AT_MOST, says);
}

/** Calls `from` to `to`, many at once. */
async function fill(context: Context, ledger: Ledger, from: number, to: number, name: string): Promise<void> {
  let next = from;
  const caller = async (): Promise<void> => {
    while (next < to) {
      context.signal.throwIfAborted();
      const n = next;
      next += 1;
      if (n % 20_000 === 0) context.progress(n, context.flags.operations, name);
      await callThrough(ledger, keyOf(n));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** Median durations of a call and of a replay, each alone, ms. */
async function lone(
  ledger: Ledger,
  filled: number,
  word: string,
): Promise<{ readonly put: number; readonly hit: number }> {
  const [puts, hits]: [number[], number[]] = [[], []];
  for (let n = 0; n < SAMPLES; n += 1) {
    const startedAt = performance.now();
    await callThrough(ledger, `${word} ${keyOf(n)}`);
    const between = performance.now();
    await replayThrough(ledger, keyOf(Math.floor((n / SAMPLES) * filled)));
    puts.push(between - startedAt);
    hits.push(performance.now() - between);
  }
  return { put: median(puts), hit: median(hits) };
}

/** With all records there, against a Map of as many texts of their length. */
function fullGc(context: Context, operations: number): void {
  const timed = (): number => {
    const startedAt = performance.now();
    globalThis.gc?.();
    return performance.now() - startedAt;
  };
  timed();
  const ours = median([timed(), timed(), timed()]);
  const map = new Map<string, { readonly result: string; readonly at: number }>();
  for (let n = 0; n < operations; n += 1) map.set(keyOf(n), { result: `${'x'.repeat(200)}${n}`, at: n });
  timed();
  const both = median([timed(), timed(), timed()]);
  context.figure('memory.fullGcMs', Math.round(ours));
  context.figure('memory.fullGcOfMapMs', Math.round(both - ours));
  context.say(
    `memory: a full GC takes ${Math.round(ours)} ms; a Map of ${map.size} adds ${Math.round(both - ours)} ms`,
  );
}

/** All that is there, in steps; how long the event loop stood still meanwhile. */
async function purge(context: Context, name: string, { ledger }: GrownStore): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const before = Date.now() + 2 * 3_600_000;
  const wanted = Math.min(50_000, context.flags.operations / 2);
  let removed = 0;
  delay.enable();
  const startedAt = performance.now();
  while (removed < wanted) {
    const count = await ledger.purge(before, STEP);
    if (count === 0) break;
    removed += count;
    await new Promise(setImmediate);
  }
  const micros = ((performance.now() - startedAt) * 1_000) / removed;
  delay.disable();
  context.figure(`${name}.purgeLongestTurnMs`, Math.round(delay.max / 1e6));
  if (removed < wanted) context.violation(`${name}.purge`, `only ${removed} of ${wanted} were purged`);
  if (IN_PROCESS.includes(name))
    tell(context, `${name}.purgeMicros`, micros, PURGE_MICROS_AT_MOST, 'µs for each purged');
  else context.figure(`${name}.purgeMicros`, Math.round(micros * 10) / 10);
}

function tell(context: Context, id: string, value: number, atMost: number, says: string): void {
  const shown = Math.round(value * 1_000) / 1_000;
  context.figure(id, shown);
  context.say(`${id.padEnd(22)} ${String(shown).padEnd(9)} ${says}, at most ${atMost}`);
  if (value > atMost) context.violation(id, `${shown} is more than ${atMost}`);
}

/** 43 characters, as a hash has. */
function keyOf(n: number): string {
  return `order:${String(n).padStart(37, '0')}`;
}
