// attack: the hostile cases of the HTTP contract against every host, over real HTTP: rows of the attack list that hold.
import type { HttpCase, HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpCases, runHttpCase } from '@mcp-tx/testing/http-contract';
import type { MeasureContext } from 'measure';
import { runMeasured } from 'measure';
import { hosts } from './hosts.ts';

const CASES: readonly HttpCase[] = httpCases.filter(({ attack }) => attack !== undefined);

await runMeasured({
  command: 'attack',
  about: 'plays the hostile rows of the HTTP contract against every host',
  seed: 1,
  flags: {
    host: { kind: 'choice', says: 'which host', default: 'all', choices: ['all', ...Object.keys(hosts)] },
  },
  run,
});

async function run(context: MeasureContext<{ readonly host: string }>): Promise<void> {
  const chosen = Object.entries(hosts).filter(([name]) => context.flags.host === 'all' || context.flags.host === name);
  context.planFault('hostile case');
  for (const [name, fixture] of chosen) {
    if (context.signal.aborted) return;
    await attack(context, name, fixture);
  }
}

/** A row holds when all of its cases do. A case that a host cannot be put through is told, and no row passes without any case. */
async function attack(context: MeasureContext<unknown>, name: string, fixture: HttpHostFixture): Promise<void> {
  const passed = new Map<number, boolean>();
  let skipped = 0;
  for (const [place, one] of CASES.entries()) {
    context.progress(place, CASES.length, `${name}: ${one.id}`);
    if (one.needs.some((need) => !fixture.can.includes(need))) {
      skipped += 1;
      context.say(`${name}: not tried: ${one.id} needs ${one.needs.join(', ')}`);
      continue;
    }
    const row = one.attack as number;
    const problem = await problemOf(one, fixture);
    context.fault('hostile case');
    if (problem !== undefined) context.violation(`${name}:${one.id}`, problem);
    passed.set(row, (passed.get(row) ?? true) && problem === undefined);
  }
  const held = [...passed.values()].filter(Boolean).length;
  context.figure(`${name}.rows`, passed.size);
  context.figure(`${name}.rowsPassed`, held);
  context.figure(`${name}.casesNotTried`, skipped);
  context.say(`${name.padEnd(16)} ${held} of ${passed.size} rows hold`);
}

async function problemOf(one: HttpCase, fixture: HttpHostFixture): Promise<string | undefined> {
  try {
    await runHttpCase(one, fixture);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : String(error);
  }
}
