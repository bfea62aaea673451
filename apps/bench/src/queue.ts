// bench queue: jobs drained per second by a worker of ours, over a bare worker of the same queue.
import type { MeasureContext, MeasuredProgram } from 'measure';
import { choiceAmong, chosen } from './chosen.ts';
import { median } from './interleave.ts';
import { benchBullmq } from './queue/bullmq.ts';
import type { Comparison, QueueBench } from './queue/queue-bench.ts';
import { benchRabbitmq } from './queue/rabbitmq.ts';

const QUEUES: Readonly<Record<string, () => Promise<QueueBench>>> = { bullmq: benchBullmq, rabbitmq: benchRabbitmq };

const flags = {
  queue: choiceAmong('which queue', QUEUES),
  warmMs: {
    kind: 'integer',
    says: 'how long each subject drains before anything counts; compilers need so long to be done',
    default: 8_000,
    min: 0,
    max: 120_000,
  },
  rounds: { kind: 'integer', says: 'alternations in each comparison', default: 16, min: 1, max: 1_000 },
} as const;

type Values = { readonly queue: string; readonly warmMs: number; readonly rounds: number };

/** The program. */
export const queue: MeasuredProgram<typeof flags> = {
  command: 'bench queue',
  about: 'jobs drained per second by a worker of ours over a bare worker of the same queue',
  seed: 1,
  flags,
  run,
};

async function run(context: MeasureContext<Values>): Promise<void> {
  for (const [, open] of chosen(QUEUES, context.flags.queue)) {
    await using bench = await open();
    for (const comparison of bench.comparisons) await measure(context, comparison);
  }
}

async function measure(context: MeasureContext<Values>, comparison: Comparison): Promise<void> {
  const { id, says, atLeast = 0, atMost = Number.POSITIVE_INFINITY, base, contender } = comparison;
  const { rounds, warmMs } = context.flags;
  for (const drain of [base, contender]) {
    const warmAt = performance.now() + warmMs;
    do await drain();
    while (performance.now() < warmAt);
  }
  const ratios: number[] = [];
  const rates: number[] = [];
  const bases: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    context.signal.throwIfAborted();
    context.progress(round, rounds, id);
    const [first, middle, last] = [await base(), await contender(), await base()];
    ratios.push(middle / ((first + last) / 2));
    rates.push(middle);
    bases.push(first, last);
  }
  const ratio = median(ratios);
  context.figure(id, Math.round(ratio * 1_000) / 1_000);
  const best = Math.max(...rates) / Math.max(...bases); // of a machine that does other things, too, the best says more
  context.figure(`${id}.best`, Math.round(best * 1_000) / 1_000);
  context.figure(`${id}.perSecond`, Math.round(median(rates)));
  context.say(
    `${id.padEnd(14)} ${ratio.toFixed(3)} of the jobs (best over best ${best.toFixed(3)}), ${Math.round(median(rates))} in a second: ${says}`,
  );
  if (ratio < atLeast) context.violation(id, `${ratio.toFixed(3)} is less than ${atLeast}`);
  if (ratio > atMost) context.violation(id, `${ratio.toFixed(3)} is more than ${atMost}`);
}
