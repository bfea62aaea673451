// attack: the hostile cases of the contracts against every host, over real HTTP and real brokers: rows of the attack list that hold.
import type { MeasureContext } from 'measure';
import { runMeasured } from 'measure';
import type { Attack } from './hosts.ts';
import { hosts } from './hosts.ts';

await runMeasured({
  command: 'attack',
  about: 'plays the hostile rows of the HTTP contract and of the job contract against every host',
  seed: 1,
  flags: {
    host: { kind: 'choice', says: 'which host', default: 'all', choices: ['all', ...Object.keys(hosts)] },
  },
  run,
});

async function run(context: MeasureContext<{ readonly host: string }>): Promise<void> {
  const chosen = Object.entries(hosts).filter(([name]) => context.flags.host === 'all' || context.flags.host === name);
  context.planFault('hostile case');
  for (const [name, open] of chosen) {
    if (context.signal.aborted) return;
    const target = await open();
    try {
      await attack(context, name, target.attacks);
    } finally {
      await target.close();
    }
  }
}

/** A row holds when all of its cases do. A case that a host cannot be put through is told, and no row passes without any case. */
async function attack(context: MeasureContext<unknown>, name: string, attacks: readonly Attack[]): Promise<void> {
  const passed = new Map<number, boolean>();
  let skipped = 0;
  for (const [place, one] of attacks.entries()) {
    context.progress(place, attacks.length, `${name}: ${one.id}`);
    if (one.lacks.length > 0) {
      skipped += 1;
      context.say(`${name}: not tried: ${one.id} needs ${one.lacks.join(', ')}`);
      continue;
    }
    const problem = await problemOf(one);
    context.fault('hostile case');
    if (problem !== undefined) context.violation(`${name}:${one.id}`, problem);
    passed.set(one.row, (passed.get(one.row) ?? true) && problem === undefined);
  }
  const held = [...passed.values()].filter(Boolean).length;
  context.figure(`${name}.rows`, passed.size);
  context.figure(`${name}.rowsPassed`, held);
  context.figure(`${name}.casesNotTried`, skipped);
  context.say(`${name.padEnd(16)} ${held} of ${passed.size} rows hold`);
}

async function problemOf(one: Attack): Promise<string | undefined> {
  try {
    await one.play();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : String(error);
  }
}
