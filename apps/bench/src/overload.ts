// bench overload: what ten times the load does to a server behind MCP-Tx, to its callers, and how soon all is well again.
import type { MeasureContext, MeasuredProgram } from 'measure';
import { seededRandom } from 'measure';
import type { LoadedCall } from './overload/load.ts';
import { Load } from './overload/load.ts';
import type { Subject } from './overload/scene.ts';
import { SERVICE_MS, SLOTS } from './overload/scene.ts';

const CAPACITY = (SLOTS * 1_000) / SERVICE_MS;
const WINDOW_MS = 500;

const flags = {
  seconds: { kind: 'integer', says: 'how long ten times the capacity arrives', default: 60, min: 2, max: 3_600 },
} as const;

type Context = MeasureContext<{ readonly seconds: number }>;

/** The program. */
export const overload: MeasuredProgram<typeof flags> = {
  command: 'bench overload',
  about: 'calls that go on well, are refused or are lost when ten times what a server can do arrives',
  seed: 1,
  flags,
  run,
};

async function run(context: Context): Promise<void> {
  const { seconds } = context.flags;
  const shortMs = Math.max(2_000, (seconds * 1_000) / 6);
  const random = seededRandom(context.seed);
  context.planFault('overload');
  const steps = 8;
  let done = 0;
  const next = (): void => {
    done += 1;
    context.progress(done, steps, 'phases');
  };

  await using load = await Load.start('short-line', random);
  const offer = (times: number, ms: number): Promise<readonly LoadedCall[]> =>
    load.offer(CAPACITY * times, ms, context.signal).finally(next);
  await offer(0.5, 2_000); // warm
  const unloadedP99 = p99(ended(await offer(0.5, shortMs), 'ok'));
  const peaks: number[] = [];
  for (const times of [1, 2, 5]) peaks.push(goodput(await offer(times, shortMs), shortMs));
  const peak = Math.max(...peaks);
  const loaded = await offer(10, seconds * 1_000);
  const after = await offer(0.5, 10_000);
  context.fault('overload', ended(loaded, 'refused').length);

  tell(context, 'capacity', CAPACITY, 'calls/s that the server can do');
  tell(context, 'peak', peak, 'most answers/s at 1, 2 and 5 times the capacity');
  must(
    context,
    'goodput',
    goodput(loaded, seconds * 1_000) / peak,
    'at least',
    0.9,
    'answers at 10 times, over the peak',
  );
  tell(context, 'unloaded.p99Ms', unloadedP99, 'ms for an answer at half of the capacity');
  const admitted = p99(ended(loaded, 'ok')) / unloadedP99;
  must(context, 'admitted.p99', admitted, 'at most', 2, 'ms for an answer at 10 times, over the unloaded one');
  must(context, 'refused.p99Ms', p99(ended(loaded, 'refused')), 'at most', 5, 'ms for a refusal');
  must(context, 'recoveryMs', recoveryMs(after, unloadedP99), 'at most', 5_000, 'ms until all is as before');
  must(context, 'unknown', ended(loaded, 'unknown').length, 'at most', 0, 'calls sent whose answer nobody got');
  await beside(context, 'long-line', random, shortMs, peak);
  await beside(context, 'raw', random, shortMs, peak);
  next();
}

/** The other clients under the same load. MCP-Tx's default line has to hold, too; the raw client is only told. */
async function beside(
  context: Context,
  subject: Subject,
  random: () => number,
  durationMs: number,
  peak: number,
): Promise<void> {
  await using load = await Load.start(subject, random);
  await load.offer(CAPACITY / 2, 2_000, context.signal);
  const calls = await load.offer(CAPACITY * 10, durationMs, context.signal);
  const share = goodput(calls, durationMs) / peak;
  const says = subject === 'raw' ? 'the raw client' : 'with the default line and 200 ms for a call';
  if (subject === 'raw') tell(context, 'raw.goodput', share, `answers at 10 times, over the peak: ${says}`);
  else must(context, `${subject}.goodput`, share, 'at least', 0.9, `answers at 10 times, over the peak: ${says}`);
  tell(
    context,
    `${subject}.unknown`,
    ended(calls, 'unknown').length / calls.length,
    `share of calls with no answer: ${says}`,
  );
}

function tell(context: Context, id: string, value: number, says: string): void {
  context.figure(id, Math.round(value * 1_000) / 1_000);
  context.say(`${id.padEnd(18)} ${value.toFixed(2).padStart(9)}  ${says}`);
}

function must(
  context: Context,
  id: string,
  value: number,
  is: 'at least' | 'at most',
  goal: number,
  says: string,
): void {
  tell(context, id, value, `${says} (${is} ${goal})`);
  const holds = is === 'at least' ? value >= goal : value <= goal;
  if (!holds) context.violation(id, `${value.toFixed(3)} is not ${is} ${goal}`);
}

function ended(calls: readonly LoadedCall[], end: LoadedCall['end']): readonly LoadedCall[] {
  return calls.filter((call) => call.end === end);
}

function goodput(calls: readonly LoadedCall[], durationMs: number): number {
  return (ended(calls, 'ok').length * 1_000) / durationMs;
}

function p99(calls: readonly LoadedCall[]): number {
  const took = calls.map((call) => call.endedAt - call.dueAt).sort((a, b) => a - b);
  const value = took[Math.ceil(took.length * 0.99) - 1];
  if (value === undefined) throw new Error('no call of this kind came');
  return value;
}

/** From the end of the load until the first window after which every window is as before: all answered, p99 at most doubled. */
function recoveryMs(calls: readonly LoadedCall[], unloadedP99: number): number {
  const start = Math.min(...calls.map((call) => call.dueAt));
  const windows = Map.groupBy(calls, (call) => Math.floor((call.dueAt - start) / WINDOW_MS));
  let lastBad = -1;
  for (const [index, members] of windows) {
    const isAsBefore = members.every((call) => call.end === 'ok') && p99(members) <= 2 * unloadedP99;
    if (!isAsBefore && index > lastBad) lastBad = index;
  }
  return (lastBad + 1) * WINDOW_MS;
}
