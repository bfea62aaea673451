// The stale holder: a process is stopped in the middle of its calls, another one takes over, and the first wakes up again.
import { setTimeout as sleep } from 'node:timers/promises';
import { LEASE_MS } from './subject.ts';
import type { Outcome, Trial } from './trial.ts';
import { batches, isInDoubt, noteRefusals, receiptsOf, tallyRuns, underWay, withActor } from './trial.ts';

const AT_ONCE = 100;
/** Long enough that all are under way when the holder is stopped. */
const HOLD_MS = 1_500;
const WITHIN_MS = 20_000;

/** Overwritten is a key whose second caller was told a result, and whose third caller another one. */
export async function stale({ job, keys, signal }: Trial): Promise<Outcome> {
  const told = { overwritten: 0, inDoubt: 0, stuck: 0, faults: 0, refusals: new Map<string, number>() };
  for (const batch of batches(keys, AT_ONCE)) {
    signal.throwIfAborted();
    const answers = await withActor({ ...job, holdMs: HOLD_MS, leaseMs: LEASE_MS }, async (holder) => {
      const held = holder.call(batch, 1, WITHIN_MS * 2);
      await underWay(job.effects, batch);
      holder.signal('SIGSTOP');
      told.faults += batch.length;
      try {
        await sleep(LEASE_MS * 1.5);
        return await withActor({ ...job, holdMs: 0, leaseMs: LEASE_MS }, async (second) => {
          const taken = await second.call(batch, 1, WITHIN_MS);
          holder.signal('SIGCONT');
          await held;
          return taken;
        });
      } finally {
        holder.signal('SIGCONT');
      }
    });
    const later = await withActor({ ...job, holdMs: 0, leaseMs: LEASE_MS }, (third) => third.call(batch, 1, WITHIN_MS));
    for (const key of batch) {
      noteRefusals(told.refusals, answers.get(key));
      const [taken] = receiptsOf(answers.get(key));
      const [last] = receiptsOf(later.get(key));
      if (taken !== undefined && last !== undefined && taken !== last) told.overwritten += 1;
      if (isInDoubt(later.get(key))) told.inDoubt += 1;
      else if (last === undefined) told.stuck += 1;
    }
  }
  return { keys, ...tallyRuns(job.effects, batches(keys, keys)[0] ?? []), ...told };
}
