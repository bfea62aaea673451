// Version of the model: what a seed means.
import { UsageError } from 'measure';

/** Grows with every change of the world that gives a seed another history. A seed is told with it, and refused without. */
const MODEL = 1;

/** A seed as people pass it on. */
export function seedName(seed: number): string {
  return `${MODEL}-${seed}`;
}

/** Reads such a name. @throws UsageError with a sentence for whoever typed it */
export function readSeedName(name: string): number {
  const [, model, seed] = /^(\d{1,6})-(\d{1,10})$/.exec(name) ?? [];
  if (model === undefined || seed === undefined)
    throw new UsageError(`"${name}" is no seed of a history; it looks like ${seedName(5_398)}`);
  if (Number(model) !== MODEL)
    throw new UsageError(
      `${name} is a seed of model ${model}, and this is model ${MODEL}: it would be another history`,
    );
  if (Number(seed) > 2 ** 32 - 1) throw new UsageError(`the seed in "${name}" is more than ${2 ** 32 - 1}`);
  return Number(seed);
}
