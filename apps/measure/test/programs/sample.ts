// A program whose ways to end are chosen by flags; run as a real process by the tests.
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeasuredProgram } from '../../src/index.ts';
import { runMeasured, runOneOf } from '../../src/index.ts';

const flags = {
  end: {
    kind: 'choice',
    says: 'how to end',
    default: 'well',
    choices: ['well', 'violation', 'missing-fault', 'throw', 'uncaught', 'stuck', 'wait', 'nan'],
  },
  calls: { kind: 'integer', says: 'how many', default: 3, min: 1, max: 10 },
  loud: { kind: 'switch', says: 'say more' },
} as const;

const sample: MeasuredProgram<typeof flags> = {
  command: 'sample',
  about: 'ends in the way that was asked for',
  flags,
  async run(context) {
    const { end, calls } = context.flags;
    context.say('text for people');
    context.planFault('drop');
    for (let call = 1; call <= calls; call += 1) context.progress(call, calls, 'calls');
    context.figure('calls', calls);
    if (end === 'nan') context.figure('ratio', Number.NaN);
    if (end !== 'missing-fault') context.fault('drop', 2);
    if (end === 'violation') context.violation('I1', 'an effect happened twice');
    if (end === 'throw') throw new Error('broken on purpose');
    if (end === 'uncaught') {
      void Promise.reject(new Error('nobody handles this'));
      await sleep(20);
    }
    if (end === 'stuck') await new Promise(() => {});
    if (end === 'wait') await sleep(60_000, undefined, { signal: context.signal });
  },
};

if (process.argv[2] === 'one-of') await runOneOf('samples', { sample }, process.argv.slice(3));
else await runMeasured(sample);
