// torture: faults of every kind in the middle of calls, over a real ledger, with the effects counted by the tool server.
import type { MeasureContext } from 'measure';
import { runMeasured } from 'measure';
import type { QueueName } from './queues/queue.ts';
import { QUEUES } from './queues/queue.ts';
import { STORES } from './store.ts';
import type { LedgerFlags } from './torture-ledger.ts';
import { tortureLedger } from './torture-ledger.ts';
import { tortureQueue } from './torture-queue.ts';

interface Flags extends LedgerFlags {
  readonly queue: 'none' | QueueName;
}

await runMeasured({
  command: 'torture',
  about: 'kills workers in the middle of calls and counts what really happened',
  flags: {
    queue: {
      kind: 'choice',
      says: 'calls go through this queue, whose broker is killed, too; on both tool servers, and bare beside it',
      default: 'none',
      choices: ['none', ...QUEUES],
    },
    ledger: { kind: 'choice', says: 'where operations are recorded', default: 'sqlite', choices: STORES },
    server: {
      kind: 'choice',
      says: 'whether the tool server recognises repeats',
      default: 'plain',
      choices: ['plain', 'aware'],
    },
    kills: { kind: 'integer', says: 'workers to kill', default: 40, min: 1, max: 100_000 },
    'store-kills': count('how often the server of the store is killed and started again'),
    pauses: count('workers stopped (SIGSTOP) beyond their lease while the next one works, and woken again'),
    cuts: count('connections to the store cut in the middle of a request, or with its reply on the way'),
    'disk-full': count("how often the disk of the ledger's file is filled and emptied again"),
    'lost-writes': count('rounds in which Redis is killed and the last bytes of its file are cut off'),
    operations: {
      kind: 'integer',
      says: 'operations in all, 0: 1,000, or 3,000 jobs',
      default: 0,
      min: 0,
      max: 10_000_000,
    },
    concurrency: { kind: 'integer', says: 'calls under way at once in a worker', default: 8, min: 1, max: 64 },
  },
  run,
});

async function run(context: MeasureContext<Flags>): Promise<void> {
  const { queue } = context.flags;
  const operations = context.flags.operations || (queue === 'none' ? 1_000 : 3_000);
  if (queue !== 'none') return tortureQueue(context, { ...context.flags, queue, operations });
  return tortureLedger(context, { ...context.flags, operations });
}

/** A flag for a kind of fault: how often. */
function count(says: string) {
  return { kind: 'integer', says, default: 0, min: 0, max: 10_000 } as const;
}
