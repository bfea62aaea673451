// Looks for the first history in which an outside invariant notices a mutant. A throw or a hang does not count.
import { availableParallelism } from 'node:os';
import type { Mutant } from '../mutants/mutant.ts';
import { MUTANTS } from '../mutants/mutants.ts';
import { Worker } from './worker-pool.ts';

/** What became of a mutant. */
export interface Hunt {
  readonly mutant: Mutant;
  /** Histories until an invariant was broken; 0: a set piece was enough. Absent: it survived. */
  readonly seeds?: number;
  readonly by?: string;
  readonly says?: string;
  readonly seed?: number;
}

const CHUNKS = [50, 200, 750, 2_000] as const;

/** Hunts all of them, the unmutated sources first as the control. */
export async function killMutants(
  first: number,
  maxSeeds: number,
  mutants: readonly Mutant[],
  onHunted: (hunt: Hunt) => void,
): Promise<readonly Hunt[]> {
  const hunts: Hunt[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let mutant = mutants[next]; mutant !== undefined; mutant = mutants[next]) {
      next += 1;
      const hunt = await huntOne(mutant, first, maxSeeds);
      hunts.push(hunt);
      onHunted(hunt);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(availableParallelism(), 8)) }, lane));
  const order = (hunt: Hunt): number => MUTANTS.indexOf(hunt.mutant);
  return hunts.sort((one, other) => order(one) - order(other));
}

async function huntOne(mutant: Mutant, first: number, maxSeeds: number): Promise<Hunt> {
  const worker = new Worker(mutant.id);
  try {
    const [broken] = (await worker.do({ kind: 'set-pieces', seed: first })).violations;
    if (broken !== undefined) return { mutant, seeds: 0, by: broken.id, says: broken.says };
    for (let played = 0, i = 0; played < maxSeeds; i += 1) {
      const count = Math.min(CHUNKS[Math.min(i, CHUNKS.length - 1)] as number, maxSeeds - played);
      const task = { kind: 'histories', first: (first + played) >>> 0, count, stopAtFailure: true } as const;
      const { failures } = await worker.do(task);
      const killed = failures.filter(({ violations }) => violations.length > 0).sort((a, b) => a.seed - b.seed)[0];
      const violation = killed?.violations[0];
      if (killed !== undefined && violation !== undefined)
        return { mutant, seeds: killed.seed - first + 1, by: violation.id, says: violation.says, seed: killed.seed };
      played += count;
    }
    return { mutant };
  } finally {
    worker.close();
  }
}
