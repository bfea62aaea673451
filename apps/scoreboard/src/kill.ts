// The kill test: a process is killed in the middle of its calls, and another one asks for the same keys.
import { setTimeout as sleep } from 'node:timers/promises';
import { LEASE_MS } from './subject.ts';
import type { Outcome, Trial } from './trial.ts';
import { batches, isInDoubt, noteRefusals, receiptsOf, tallyRuns, underWay, withActor } from './trial.ts';

const AT_ONCE = 20;
const HOLD_MS = 1_500;
const WITHIN_MS = 20_000;

/** Each key is asked for again once, well after every lease of the dead one has run out. */
export async function kill({ job, keys, signal }: Trial): Promise<Outcome> {
  const told = { overwritten: 0, inDoubt: 0, stuck: 0, faults: 0, refusals: new Map<string, number>() };
  for (const batch of batches(keys, AT_ONCE)) {
    signal.throwIfAborted();
    await withActor({ ...job, holdMs: HOLD_MS, leaseMs: LEASE_MS }, async (victim) => {
      const never = victim.call(batch, 1, WITHIN_MS);
      await underWay(job.effects, batch);
      victim.signal('SIGKILL');
      told.faults += 1;
      await never;
    });
    await sleep(LEASE_MS * 1.5);
    const answers = await withActor({ ...job, holdMs: 0, leaseMs: LEASE_MS }, (next) => next.call(batch, 1, WITHIN_MS));
    for (const key of batch) {
      noteRefusals(told.refusals, answers.get(key));
      if (isInDoubt(answers.get(key))) told.inDoubt += 1;
      else if (receiptsOf(answers.get(key)).size === 0) told.stuck += 1;
    }
  }
  return { keys, ...tallyRuns(job.effects, batches(keys, keys)[0] ?? []), ...told };
}
