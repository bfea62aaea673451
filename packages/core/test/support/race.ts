/** Runs races in the orders that fast-check's scheduler draws, on a virtual clock, and counts which branches they took. */
import type { Scheduler, Parameters as Settings } from 'fast-check';
import { expect, vi } from 'vitest';
import type { VirtualClock } from '../../src/index.ts';

/** The seed of every property in `races/`; fast-check prints it, and the path to the failing run, when one fails. */
const SEED = Number(process.env['MCP_TX_RACES_SEED'] ?? 20_261_122);

vi.setConfig({ testTimeout: 60_000 }); // properties take their time on a busy machine

/** Virtual time after which a race that still has timers is taken for one that leaks them, ms. */
const QUIET_WITHIN_MS = 20_000;

/** Settings of a property: as many runs, from the one seed. */
export function races<T>(numRuns: number): Settings<T> {
  return { numRuns, seed: SEED };
}

/** Which branches the runs of a property took: one that none took was not tested. */
export class Branches<Name extends string = string> {
  readonly #counts: Map<Name, number>;

  constructor(...names: readonly Name[]) {
    this.#counts = new Map(names.map((name) => [name, 0]));
  }

  saw(name: Name, happened = true): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + (happened ? 1 : 0));
  }

  /** Notes several at the end of a run. */
  sawThese(branches: Readonly<Partial<Record<Name, boolean>>>): void {
    for (const [name, happened] of Object.entries(branches)) this.saw(name as Name, happened === true);
  }

  /** Fails when some branch was never taken. */
  expectAll(): void {
    if (process.env['MCP_TX_RACES_SHOW'] !== undefined) console.log(Object.fromEntries(this.#counts));
    expect(this.#counts.size).toBeGreaterThan(0);
    expect([...this.#counts].filter(([, count]) => count === 0)).toEqual([]);
  }
}

/** Resolves when the scheduler comes to it. A promise is not scheduled itself: its value would be printed each time. */
export function turn(scheduler: Scheduler, label: string): Promise<void> {
  return scheduler.schedule(Promise.resolve(), label);
}

/** Something that happens when the scheduler comes to it. */
export type Turn = readonly [label: string, act: () => unknown];

/** Turns that come in this order. */
export type Turns = readonly Turn[];

/** Starts scripts that run side by side. */
export function inParallel(scheduler: Scheduler, scripts: readonly Turns[]): void {
  for (const script of scripts) {
    scheduler.scheduleSequence(script.map(([label, act]) => ({ label, builder: async () => void (await act()) })));
  }
}

/** How {@link untilQuiet} goes on. */
export interface Pace {
  /** Lets everything that follows from one turn happen before the next; otherwise turns follow one another closely. */
  readonly calm: boolean;
  /** Looks at the world whenever nothing can happen but that time passes. */
  readonly atRest?: () => unknown;
}

/** Gives turns until none is waited for, then lets time pass, and so on until no timer is left. */
export async function untilQuiet(scheduler: Scheduler, clock: VirtualClock, pace: Pace): Promise<void> {
  const endsAt = clock.monotonic() + QUIET_WITHIN_MS;
  for (;;) {
    if (pace.calm || scheduler.count() === 0) await clock.settle();
    if (scheduler.count() > 0) {
      await scheduler.waitNext(1);
      continue;
    }
    await pace.atRest?.();
    if (clock.pending === 0) return;
    if (clock.monotonic() > endsAt) throw new Error(`${clock.pending} timers are left, and new ones come for ever`);
    await clock.advance(25);
  }
}
