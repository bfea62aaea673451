// simulate: the real engine in seeded histories of faults on a virtual clock, checked from outside.
import { runMeasured } from 'measure';
import { hunt } from './programs/hunt.ts';
import { play } from './programs/play.ts';
import { replay } from './programs/replay.ts';

await runMeasured({
  command: 'simulate',
  about:
    'plays seeded histories of faults against the engine and holds every promise against what was seen from outside',
  seed: 1,
  flags: {
    histories: { kind: 'integer', says: 'histories to play', default: 2_000, min: 1, max: 1_000_000_000 },
    nightly: {
      kind: 'switch',
      says: 'play for --hours instead of a number of histories, and end with a summary to paste',
    },
    hours: { kind: 'integer', says: 'how long --nightly takes', default: 8, min: 1, max: 72 },
    mutants: { kind: 'switch', says: 'break one rule after the other, and count the histories until that is noticed' },
    only: { kind: 'text', says: 'with --mutants: just this one', default: '' },
    'max-seeds': {
      kind: 'integer',
      says: 'with --mutants: histories for each',
      default: 20_000,
      min: 1,
      max: 1_000_000,
    },
    replay: { kind: 'text', says: 'play one history, as MODEL-SEED, and tell it line by line', default: '' },
    mutant: { kind: 'text', says: 'with --replay: in the sources that this mutant has broken', default: '' },
  },
  run: (context) => {
    if (context.flags.replay !== '') return replay(context);
    return context.flags.mutants ? hunt(context) : play(context);
  },
});
