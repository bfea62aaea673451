// Compares subjects one call at a time, each after the other: the disk and the neighbours are then in everybody's way alike.
import { median } from '../interleave.ts';
import type { Subject } from './subject.ts';

/** Median duration of a call of each subject, ms. A subject whose calls cannot stand alone is left out. */
export async function callByCall(
  subjects: ReadonlyMap<string, Subject>,
  forMs: number,
): Promise<ReadonlyMap<string, number>> {
  const durations = new Map<string, number[]>();
  const until = performance.now() + forMs;
  for (let turn = 0; performance.now() < until; turn += 1) {
    const inTurn = [...subjects];
    const first = turn % inTurn.length; // what comes after a slow one is not always the same
    for (const [name, subject] of [...inTurn.slice(first), ...inTurn.slice(0, first)]) {
      if (subject.once === undefined) continue;
      const startedAt = performance.now();
      await subject.once();
      const times = durations.get(name) ?? [];
      times.push(performance.now() - startedAt);
      durations.set(name, times);
    }
  }
  return new Map([...durations].map(([name, times]) => [name, median(times)]));
}
