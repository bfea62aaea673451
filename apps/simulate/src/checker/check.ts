// Holds every invariant against one outside history. Nothing in here knows the engine's own counters.
import type { History } from '../world/history.ts';
import { checkAnswers } from './answers.ts';
import { checkEffects } from './effects.ts';
import { checkEndings } from './endings.ts';
import type { Violation } from './facts.ts';
import { factsOf } from './facts.ts';
import { checkRepeats } from './repeats.ts';
import { checkSends } from './sends.ts';
import { checkTimes } from './times.ts';

/** Every promise that did not hold in this history. */
export function check(history: History): readonly Violation[] {
  const facts = factsOf(history);
  return [checkEffects, checkRepeats, checkAnswers, checkSends, checkEndings, checkTimes].flatMap((holds) =>
    holds(facts),
  );
}
