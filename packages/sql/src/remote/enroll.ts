/** Writes an intent through a user's own transaction. */
import type { Enrollment, EnrollRequest } from '@mcp-tx/core/ledger';
import { keyOfClaim } from '../operations/claim.ts';
import { enrollKnown, enrollNew } from '../operations/enroll.ts';
import type { Executor } from '../operations/run-steps.ts';
import { runSteps } from '../operations/run-steps.ts';
import type { Flavour } from './flavour.ts';
import { storeTime } from './session.ts';
import type { StoreClock } from './store-clock.ts';

/** @throws what the driver throws; the transaction is the user's to roll back */
export async function enrollThrough(
  executor: Executor,
  flavour: Flavour,
  clock: StoreClock | undefined,
  request: EnrollRequest,
): Promise<Enrollment> {
  const key = keyOfClaim(request);
  const now = await storeTime(executor, flavour, clock);
  try {
    const enrolled = await runSteps(executor, flavour, enrollNew(request, key, now), true);
    if (enrolled !== undefined) return enrolled;
  } catch (error) {
    if (!flavour.isDuplicate(error)) throw error; // the statement alone has failed
  }
  return runSteps(executor, flavour, enrollKnown(request, key, now), true);
}
