// bench ledger: durable calls per second of our ledgers, over the bare driver and over peers on the same private server.
import type { MeasureContext, MeasuredProgram } from 'measure';
import { choiceAmong, chosen } from './chosen.ts';
import { median } from './interleave.ts';
import { callByCall } from './ledger/call-by-call.ts';
import { openMariadb } from './ledger/mariadb.ts';
import { openPostgres } from './ledger/postgres.ts';
import { rateOf } from './ledger/rate.ts';
import { openRedis } from './ledger/redis.ts';
import { countReplays } from './ledger/replays.ts';
import { openSqlite } from './ledger/sqlite.ts';
import type { Store } from './ledger/store.ts';
import type { Subject } from './ledger/subject.ts';
import { callsOf } from './ledger/subject.ts';

const STORES: Readonly<Record<string, (onDisk: boolean) => Promise<Store>>> = {
  postgres: openPostgres,
  mariadb: openMariadb,
  sqlite: openSqlite,
  redis: openRedis,
};
const CALLERS = [1, 16, 64] as const;
/** How far the bare driver may be from itself before nothing can be said. */
const NULL_AT_MOST = 0.15;

const flags = {
  store: choiceAmong('which store', STORES),
  place: { kind: 'choice', says: 'where its data is', default: 'disk', choices: ['disk', 'memory'] },
  rounds: { kind: 'integer', says: 'alternations of all subjects of a store', default: 4, min: 1, max: 1_000 },
  window: { kind: 'integer', says: 'milliseconds of each measurement', default: 600, min: 50, max: 60_000 },
  warmMs: {
    kind: 'integer',
    says: 'how long each subject calls, for each number in flight, before anything counts; compilers need so long to be done',
    default: 2_000,
    min: 0,
    max: 120_000,
  },
} as const;

interface Values {
  readonly store: string;
  readonly place: string;
  readonly rounds: number;
  readonly window: number;
  readonly warmMs: number;
}

type Context = MeasureContext<Values>;

/** The program. */
export const ledger: MeasuredProgram<typeof flags> = {
  command: 'bench ledger',
  about: 'durable calls per second of our ledgers over the bare driver and over peers on the same server',
  seed: 1,
  flags,
  run,
};

async function run(context: Context): Promise<void> {
  for (const [, open] of chosen(STORES, context.flags.store)) {
    context.signal.throwIfAborted();
    await using store = await open(context.flags.place === 'disk');
    await compare(context, store);
    await countReplays(context, store);
  }
}

/** Rates of each subject in each round, by subject. */
type Rates = ReadonlyMap<string, readonly number[]>;

async function compare(context: Context, store: Store): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const subjects = await openAll(context, store, stack);
  for (const callers of CALLERS) {
    for (const subject of subjects.values()) await rateOf(subject, callers, context.flags.warmMs);
    const rates = await takeTurns(context, store, subjects, callers);
    const alone = callers === 1 ? await callsAlone(context, subjects) : undefined;
    report(context, store, { callers, rates, alone });
  }
}

async function openAll(
  context: Context,
  store: Store,
  stack: AsyncDisposableStack,
): Promise<ReadonlyMap<string, Subject>> {
  const subjects = new Map<string, Subject>();
  const { ledger: ours } = stack.use(await store.openLedger(store.port));
  subjects.set('bare', stack.use(await store.openBare()));
  subjects.set(
    'ours',
    callsOf(ours, async () => undefined),
  );
  for (const peer of store.peers) {
    try {
      subjects.set(peer.id, stack.use(await peer.open()));
    } catch (error) {
      context.say(`${store.name}: ${peer.says}: not run: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  subjects.set('null', stack.use(await store.openBare()));
  return subjects;
}

/** Who begins changes from round to round, so that drift hits all alike. */
async function takeTurns(
  context: Context,
  store: Store,
  subjects: ReadonlyMap<string, Subject>,
  callers: number,
): Promise<Rates> {
  const { rounds, window } = context.flags;
  const names = [...subjects.keys()];
  const rates = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      context.signal.throwIfAborted();
      const name = names[(round + turn) % names.length] as string;
      context.progress(round * names.length + turn, rounds * names.length, `${store.name}, ${callers} in flight`);
      rates.get(name)?.push(await rateOf(subjects.get(name) as Subject, callers, window));
    }
  }
  return rates;
}

/** One call in flight leaves room for a finer comparison with the bare driver: call by call. */
async function callsAlone(
  context: Context,
  subjects: ReadonlyMap<string, Subject>,
): Promise<ReadonlyMap<string, number>> {
  const { rounds, window } = context.flags;
  const some = new Map([...subjects].filter(([name]) => ['bare', 'sameRow', 'ours', 'null'].includes(name)));
  return callByCall(some, 3 * rounds * window);
}

/** What came of so many calls in flight. */
interface Taken {
  readonly callers: number;
  readonly rates: Rates;
  /** Median durations, where calls were compared one by one. */
  readonly alone: ReadonlyMap<string, number> | undefined;
}

function report(context: Context, store: Store, taken: Taken): void {
  const { rates, callers } = taken;
  const id = `${store.name}.${callers}`;
  const perSecond = Math.round(median(rates.get('ours') as readonly number[]));
  context.figure(`${id}.perSecond`, perSecond);
  context.say(`\n${store.name}, ${callers} in flight: ${perSecond} calls/s`);
  const still = overAlone(taken, 'null', 'bare') ?? over(taken, 'null', 'bare');
  context.figure(`${id}.null`, rounded(still));
  context.say(`  ${String(rounded(still)).padEnd(7)} null: the bare driver over itself`);
  if (Math.abs(still - 1) > NULL_AT_MOST) context.violation(`${id}.null`, `${rounded(still)}: too busy to tell`);
  for (const { id: name, says } of [{ id: 'bare', says: store.bareSays }, ...store.peers]) {
    const theirs = rates.get(name);
    if (theirs === undefined) continue;
    const ratio = over(taken, 'ours', name);
    context.figure(`${id}.over.${name}`, rounded(ratio));
    context.say(`  ${String(rounded(ratio)).padEnd(7)} over ${Math.round(median(theirs))}/s of ${says}`);
    const alone = overAlone(taken, 'ours', name);
    if (alone === undefined) continue;
    context.figure(`${id}.alone.${name}`, rounded(alone));
    context.say(
      `  ${String(rounded(alone)).padEnd(7)} of it when calls of all subjects take turns, so that no cache is warm`,
    );
  }
  for (const goal of store.goals) if (goal.callers === callers) judge(context, goal, taken, perSecond);
}

function judge(context: Context, goal: Store['goals'][number], taken: Taken, perSecond: number): void {
  if (!taken.rates.has(goal.over)) {
    context.violation(goal.id, `${goal.over} was not run, so nothing was shown`);
    return;
  }
  const ratio = over(taken, 'ours', goal.over);
  if (ratio >= goal.atLeast || perSecond >= (goal.orPerSecond ?? Number.POSITIVE_INFINITY)) return;
  context.violation(goal.id, `${rounded(ratio)} over ${goal.over} at ${goal.callers} is less than ${goal.atLeast}`);
}

/** How much faster a call of one is than a call of another; `undefined` where calls were not compared one by one. */
function overAlone({ alone }: Taken, one: string, other: string): number | undefined {
  const [mine, theirs] = [alone?.get(one), alone?.get(other)];
  return mine === undefined || theirs === undefined ? undefined : theirs / mine;
}

/** How many calls of one there are for each of another. */
function over({ rates }: Taken, one: string, other: string): number {
  const others = rates.get(other) as readonly number[];
  return median((rates.get(one) as readonly number[]).map((rate, round) => rate / (others[round] as number)));
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
