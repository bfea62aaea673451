/** What the demo tells while it runs: what is about to happen, and what an act left behind. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { styleText } from 'node:util';
import type { MeasureContext } from 'measure';
import type { ActResult } from '../acts.ts';
import { sideFolder } from '../acts.ts';
import type { Side } from '../job.ts';
import type { Doubt } from '../mcp-tx/finish-work.ts';
import { AT_ONCE, MAX_ATTEMPTS } from '../settings.ts';
import type { SideResult } from '../side-run.ts';
import { numbersOf } from '../work/lane.ts';
import { ticketPath } from '../work/tickets.ts';
import { SIDE_NAMES, seconds, wrap } from './words.ts';

type Teller = Pick<MeasureContext, 'say' | 'out'>;

const DOUBTS_SHOWN = 4;
const WHY: Readonly<Record<string, string>> = {
  timeout: 'sent, and no answer came',
  'connection-lost': 'sent, and the server died before it answered',
  'owner-lost': 'sent, and this program died before it heard the answer',
};

/** What is about to happen. */
export function showIntroduction(teller: Teller, calls: number): void {
  teller.say(`
${bold(teller, 'The same work, done twice')}
  ${calls} edits of tickets through @modelcontextprotocol/server-filesystem, and
  ${calls} charges of orders through a small payments server, all over MCP and stdio.
  Each must happen once. It is done by
    ${SIDE_NAMES.raw.padEnd(16)}  ${MAX_ATTEMPTS} tries for each call, a new connection after an error
    ${SIDE_NAMES.mcpTx.padEnd(16)}  as many tries, a key for each call, a ledger in SQLite
  What happened is counted in the files that the servers leave behind.

${bold(teller, 'Act 1: the servers fail')}
  Requests and answers get lost. Servers die before, during and after a call,
  and once three times in a row.
`);
}

/** What the first act left behind, and what comes next. */
export function showServersFail(teller: Teller, folder: string, act: ActResult, calls: number): void {
  tellTimes(teller, act);
  const damaged = numbersOf({ from: 1, to: calls }).find((n) => linesOf(folder, 'raw', n).length > 2);
  if (damaged !== undefined) tellDamage(teller, folder, damaged);
  tellDoubts(teller, act.mcpTx);
  teller.say(`
${bold(teller, 'Act 2: the program is killed')}
  New tickets and orders, healthy servers, ${AT_ONCE} calls at once to each. Half-way the
  program gets a kill -9, and is started again: the retry loop with its progress
  file, MCP-Tx with its ledger and the same keys.
`);
}

/** What the second act left behind. */
export function showKill(teller: Teller, act: ActResult): void {
  tellTimes(teller, act);
  const [killed, again] = act.mcpTx.pids;
  const says =
    `Process ${killed} died with ${act.mcpTx.inFlight} calls of MCP-Tx under way. ` +
    `Process ${again} made all calls again: what was done came out of the ledger, the rest was looked up or done.`;
  teller.say(`\n${wrap(says)}`);
  tellDoubts(teller, act.mcpTx);
}

function tellTimes(teller: Teller, { raw, mcpTx }: ActResult): void {
  teller.say(`  ${SIDE_NAMES.raw}: ${seconds(raw)}; ${SIDE_NAMES.mcpTx}: ${seconds(mcpTx)}`);
}

function tellDamage(teller: Teller, folder: string, ticket: number): void {
  const left = linesOf(folder, 'raw', ticket);
  const right = linesOf(folder, 'mcpTx', ticket);
  const width = 36;
  teller.say(`\n  ${bold(teller, `What became of ${basename(ticketPath(folder, ticket))}`)}`);
  teller.say(`    ${`after the ${SIDE_NAMES.raw}:`.padEnd(width)}after ${SIDE_NAMES.mcpTx}:`);
  for (const [i, line] of left.entries()) teller.say(`      ${line.padEnd(width)}${right[i] ?? ''}`.trimEnd());
}

function tellDoubts(teller: Teller, { lanes }: SideResult): void {
  const doubts = lanes.flatMap((lane) => lane.doubts).sort((a, b) => a.at - b.at);
  teller.say(
    `\n  ${bold(teller, `MCP-Tx listed ${doubts.length} calls as in doubt`)} and made none of them again blindly`,
  );
  for (const { title, reason, end, found } of doubts.slice(0, DOUBTS_SHOWN)) {
    teller.say(`    ${title}: ${WHY[reason] ?? reason}`);
    teller.say(`      ${found}${THEN[end]}`);
  }
  if (doubts.length > DOUBTS_SHOWN) teller.say(`    … and ${doubts.length - DOUBTS_SHOWN} more`);
}

const THEN: Readonly<Record<Doubt['end'], string>> = {
  happened: '; nothing to do',
  'did not happen': '; made again',
  'still in doubt': '; still in doubt',
};

function linesOf(folder: string, side: Side, ticket: number): readonly string[] {
  return readFileSync(ticketPath(sideFolder(folder, side), ticket), 'utf8')
    .trimEnd()
    .split('\n');
}

function bold({ out }: Teller, text: string): string {
  return styleText('bold', text, { stream: out });
}
