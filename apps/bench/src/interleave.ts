// Compares two pieces of code by processor time of this thread, in short alternating batches, so that drift hits both alike.

/** Something to be called over and over. */
export type Work = () => Promise<unknown>;

const BATCH_MS = 50;
/** Before anything counts: compilers need so long to be done with a path that is new to them. */
const WARM_MS = 3_000;

/** Calls `work` one after the other for about 50 ms; thread processor time per call, in microseconds. */
async function batch(work: Work): Promise<number> {
  const until = performance.now() + BATCH_MS;
  let calls = 0;
  const before = threadMicros();
  do {
    for (let n = 0; n < 50; n += 1) await work();
    calls += 50;
  } while (performance.now() < until);
  return (threadMicros() - before) / calls;
}

/** Ratio of `contender` to `base`, and what the contender adds per call in microseconds: the medians over `rounds`. */
export async function compare(
  base: Work,
  contender: Work,
  rounds: number,
): Promise<{ ratio: number; addedMicros: number }> {
  const warmAt = performance.now() + 2 * WARM_MS;
  do for (const work of [base, contender]) await batch(work);
  while (performance.now() < warmAt);
  const ratios: number[] = [];
  const added: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const first = await batch(base);
    const middle = await batch(contender);
    const last = await batch(base);
    const raw = (first + last) / 2;
    ratios.push(middle / raw);
    added.push(middle - raw);
  }
  return { ratio: median(ratios), addedMicros: median(added) };
}

/** Thread processor time per call of one piece of code, in microseconds. */
export async function cost(work: Work, rounds: number): Promise<number> {
  const warmAt = performance.now() + WARM_MS;
  do await batch(work);
  while (performance.now() < warmAt);
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) costs.push(await batch(work));
  return median(costs);
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

/** `cpuUsage()` first: it brings the thread's clock up to date, which is otherwise as coarse as a tick. */
function threadMicros(): number {
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
