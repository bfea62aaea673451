// The same-key race: 20 callers in 4 processes call for the same keys at the same time.
import { startActor } from './actors.ts';
import { LONG_LEASE_MS } from './subject.ts';
import type { Outcome, Trial } from './trial.ts';
import { batches, isInDoubt, noteRefusals, receiptsOf, tallyRuns } from './trial.ts';

const PROCESSES = 4;
const CALLERS_EACH = 5;
const AT_ONCE = 100;
const HOLD_MS = 2;
const WITHIN_MS = 40_000;

/** Every key is called 20 times; told are keys that ran twice, and keys whose callers were told different results. */
export async function race({ job, keys, signal }: Trial): Promise<Outcome> {
  const first = await startActor({ ...job, holdMs: HOLD_MS, leaseMs: LONG_LEASE_MS }); // alone: it makes the tables
  const rest = Array.from({ length: PROCESSES - 1 }, () =>
    startActor({ ...job, holdMs: HOLD_MS, leaseMs: LONG_LEASE_MS }),
  );
  const actors = [first, ...(await Promise.all(rest))];
  const told = { overwritten: 0, inDoubt: 0, stuck: 0, refusals: new Map<string, number>() };
  try {
    for (const batch of batches(keys, AT_ONCE)) {
      signal.throwIfAborted();
      const all = await Promise.all(actors.map((actor) => actor.call(batch, CALLERS_EACH, WITHIN_MS)));
      for (const key of batch) {
        const answers = all.flatMap((answered) => answered.get(key) ?? []);
        noteRefusals(told.refusals, answers);
        const receipts = receiptsOf(answers).size;
        if (receipts > 1) told.overwritten += 1;
        if (isInDoubt(answers)) told.inDoubt += 1;
        if (receipts === 0) told.stuck += 1;
      }
    }
  } finally {
    await Promise.all(actors.map((actor) => actor.end()));
  }
  const names = batches(keys, keys)[0] ?? [];
  return { keys, ...tallyRuns(job.effects, names), ...told, faults: keys * PROCESSES * CALLERS_EACH };
}
