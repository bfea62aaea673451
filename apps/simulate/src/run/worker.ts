// A process that plays histories for whoever started it: one message asks for some, one message tells what came of them.
import { check } from '../checker/check.ts';
import { playSetPieces } from '../set-pieces.ts';
import { playHistory } from '../world/play-history.ts';
import type { Tally } from './tally.ts';
import { count, emptyTally } from './tally.ts';
import type { Task } from './worker-pool.ts';

/** Histories at once in this process: they take turns, event by event, so that one wait of the real loop serves all. */
const AT_ONCE = 16;

const unexpected: string[] = [];
process.on('unhandledRejection', (reason) => void unexpected.push(`unhandled rejection: ${String(reason)}`));
process.on('uncaughtException', (error) => void unexpected.push(`uncaught: ${String(error)}`));

process.on('message', (task: Task) => {
  const done =
    task.kind === 'histories' ? playRange(task.first, task.count, task.stopAtFailure) : playSetPieces(task.seed);
  void done.then((result) => process.send?.(result));
});

async function playRange(first: number, howMany: number, stopAtFailure: boolean): Promise<Tally> {
  const tally = emptyTally();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < howMany && !(stopAtFailure && tally.failures.some(({ violations }) => violations.length > 0))) {
      const seed = (first + next) >>> 0;
      next += 1;
      try {
        const history = await playHistory(seed);
        count(tally, history, check(history));
      } catch (error) {
        tally.failures.push({ seed, violations: [], broken: [String(error)] });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  if (unexpected.length > 0) tally.failures.push({ seed: first, violations: [], broken: unexpected.splice(0) });
  return tally;
}
