/** Fates of sends in races. Every answer is another one, so that two of them are told apart. */
import fc from 'fast-check';
import type { Fate } from './scripted-connection.ts';
import { answered, fates } from './scripted-connection.ts';

const FATES = {
  answer: (n: number): Fate => ({ runs: true, ends: answered({ structuredContent: { n } }) }),
  slow: (n: number): Fate => ({ runs: true, afterMs: 30, ends: answered({ structuredContent: { n } }) }),
  late: (n: number): Fate => ({ runs: true, afterMs: 250, ends: answered({ structuredContent: { n } }) }),
  lostAnswer: (): Fate => fates.lostAnswer,
  lostRequest: (): Fate => fates.lostRequest,
  resetAfterEffect: (): Fate => fates.resetAfterEffect,
  refused: (): Fate => fates.refused,
  busy: (): Fate => fates.busy,
  rejected: (): Fate => fates.rejected,
} as const;

type FateName = keyof typeof FATES;

const fateName = fc.constantFrom<FateName>('answer', 'answer', 'slow', 'late', ...(Object.keys(FATES) as FateName[]));

/** Names of the fates of the first sends; later ones are answered. */
export const fateNames: fc.Arbitrary<FateName[]> = fc.array(fateName, { minLength: 1, maxLength: 4 });

export function fatesOf(names: readonly FateName[]): Fate[] {
  return names.map((name, n) => FATES[name](n));
}
