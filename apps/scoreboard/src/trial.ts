// What a trial is given, how its effects are read from outside, and what all trials tell.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor, ActorJob } from './actors.ts';
import { startActor } from './actors.ts';
import type { Answer } from './subject.ts';

/** A trial of one subject. */
export interface Trial {
  readonly job: Omit<ActorJob, 'holdMs' | 'leaseMs'>;
  /** How many keys. */
  readonly keys: number;
  readonly signal: AbortSignal;
}

/** What came of it. Counts of keys. */
export interface Outcome {
  readonly keys: number;
  /** Ran more than once. */
  readonly ranTwice: number;
  /** A caller was told a result, and later another one; or two callers at once were told different ones. */
  readonly overwritten: number;
  /** Never ran. */
  readonly neverRan: number;
  /** Said to be in doubt at the end. */
  readonly inDoubt: number;
  /** Nobody could get an answer at the end. */
  readonly stuck: number;
  /** Faults really injected. */
  readonly faults: number;
  /** Why callers were refused, how often. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** How often each key has run so far, by the file that the work itself writes. */
function runsOf(effects: string): ReadonlyMap<string, number> {
  const runs = new Map<string, number>();
  if (!existsSync(effects)) return runs;
  for (const line of readFileSync(effects, 'utf8').split('\n')) {
    if (line === '') continue;
    const { key } = JSON.parse(line) as { readonly key: string };
    runs.set(key, (runs.get(key) ?? 0) + 1);
  }
  return runs;
}

/** How many of these have run more than once, or not at all. */
export function tallyRuns(effects: string, keys: readonly string[]): Pick<Outcome, 'ranTwice' | 'neverRan'> {
  const runs = runsOf(effects);
  return {
    ranTwice: keys.filter((key) => (runs.get(key) ?? 0) > 1).length,
    neverRan: keys.filter((key) => !runs.has(key)).length,
  };
}

/** Waits until all of these are under way. @throws Error when they are not, which would make a trial of nothing */
export async function underWay(effects: string, keys: readonly string[]): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (performance.now() < giveUpAt) {
    const runs = runsOf(effects);
    if (keys.every((key) => runs.has(key))) return;
    await sleep(10);
  }
  throw new Error('the calls never got under way');
}

/** Names of keys, in batches. */
export function batches(count: number, size: number): readonly (readonly string[])[] {
  const keys = Array.from({ length: count }, (_, n) => `key-${n}`);
  return Array.from({ length: Math.ceil(count / size) }, (_, n) => keys.slice(n * size, (n + 1) * size));
}

/** Starts an actor for as long as `use` runs. */
export async function withActor<T>(job: ActorJob, use: (actor: Actor) => Promise<T>): Promise<T> {
  const actor = await startActor(job);
  try {
    return await use(actor);
  } finally {
    await actor.end();
  }
}

/** The receipts among answers. */
export function receiptsOf(answers: readonly Answer[] = []): ReadonlySet<string> {
  return new Set(answers.flatMap((given) => (given.kind === 'result' ? [given.receipt] : [])));
}

/** Counts why callers were refused, for people. */
export function noteRefusals(into: Map<string, number>, answers: readonly Answer[] = []): void {
  for (const given of answers) if (given.kind === 'refused') into.set(given.why, (into.get(given.why) ?? 0) + 1);
}

/** Whether one of the answers says that it may have run. */
export function isInDoubt(answers: readonly Answer[] = []): boolean {
  return answers.some(({ kind }) => kind === 'in-doubt');
}
