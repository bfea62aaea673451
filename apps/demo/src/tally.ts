/** What really happened, counted in the files that the servers wrote: nobody's own counters are believed. */
import type { Lane } from './work/lane.ts';

/** The count. `effects = calls - lost + duplicates`. */
export interface Tally {
  /** Operations that should happen, once each. */
  readonly calls: number;
  /** Effects that happened. */
  readonly effects: number;
  /** Effects beyond the first of an operation. */
  readonly duplicates: number;
  /** Operations without an effect, now that the program says that it is done. */
  readonly lost: number;
}

/** Counts one lane. */
export function tallyOf(lane: Lane): Tally {
  const effects = lane.effects();
  const counts = lane.operations.map(({ key }) => effects.get(key) ?? 0);
  return {
    calls: counts.length,
    effects: sum(counts),
    duplicates: sum(counts.map((count) => Math.max(0, count - 1))),
    lost: counts.filter((count) => count === 0).length,
  };
}

/** Adds counts up. */
export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    calls: sum(tallies.map(({ calls }) => calls)),
    effects: sum(tallies.map(({ effects }) => effects)),
    duplicates: sum(tallies.map(({ duplicates }) => duplicates)),
    lost: sum(tallies.map(({ lost }) => lost)),
  };
}

/** The sum of some numbers. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
