/** The demo: the same work done twice on real MCP servers, by an ordinary retry loop and with MCP-Tx, while things go wrong. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlagValues, MeasureContext } from 'measure';
import { runMeasured } from 'measure';
import { playAct, prepareFolders, programDies, serversFail } from './acts.ts';
import { announceFaults, findingsOf, tellFaults, tellFigures, tellViolations } from './findings.ts';
import { showResult } from './show/result.ts';
import { showIntroduction, showKill, showServersFail } from './show/story.ts';

const FLAGS = {
  calls: {
    kind: 'integer',
    says: 'calls per server in each of the two acts, 12 to 400',
    default: 40,
    min: 12,
    max: 400,
  },
  keep: { kind: 'switch', says: 'keep the files of the run, and say where they are' },
} as const;

await runMeasured({
  command: 'demo',
  about: 'does the same work with an ordinary retry loop and with MCP-Tx, while servers and programs die',
  seed: 1,
  flags: FLAGS,
  run: playDemo,
});

async function playDemo(context: MeasureContext<FlagValues<typeof FLAGS>>): Promise<void> {
  const { calls, keep } = context.flags;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-tx-demo-')));
  announceFaults(context);
  try {
    prepareFolders(folder, { from: 1, to: 2 * calls });
    showIntroduction(context, calls);
    const first = await playAct(serversFail(calls, context.seed), folder, context.out, context.signal);
    showServersFail(context, folder, first, calls);
    const second = await playAct(programDies(calls), folder, context.out, context.signal);
    showKill(context, second);
    const found = findingsOf([first, second]);
    showResult(context, [first, second], found);
    tellFigures(context, found);
    tellFaults(context, folder, [first, second]);
    tellViolations(context, found);
  } finally {
    if (keep) context.say(`\nThe files of this run are in ${folder}`);
    else rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
