// I5 and I12: every call is answered by its deadline, and a closed process leaves nothing behind.
import type { CallFacts, Facts, Violation } from './facts.ts';

/** Floating point sums of fractional durations are not exact. */
const EPSILON_MS = 1e-6;

export function checkTimes(facts: Facts): Violation[] {
  const { history } = facts;
  const late = [...facts.calls.values()].flatMap((call) => byDeadline(facts, call));
  const silent = history.unanswered.map((says) => ({ id: 'I5', says }));
  const left = Object.entries(history.leftTimers).map(([process, count]) => ({
    id: 'I12',
    says: `${process} left ${count} timers behind`,
  }));
  return [...late, ...silent, ...left];
}

/** I5. A process that is paused at the deadline answers when it wakes up. */
function byDeadline({ history }: Facts, { seen, answer }: CallFacts): Violation[] {
  if (answer === undefined) return [];
  let deadline = seen.at + seen.timeoutMs;
  for (const event of history.events) {
    if (event.what === 'pause' && event.process === seen.process && event.at <= deadline && event.until > deadline)
      deadline = event.until;
  }
  if (answer.at <= deadline + EPSILON_MS) return [];
  return [{ id: 'I5', op: seen.op, says: `call ${seen.call} took ${answer.at - seen.at} of ${seen.timeoutMs} ms` }];
}
