/** The table at the end, and what it means. */
import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { MeasureContext } from 'measure';
import type { ActResult } from '../acts.ts';
import type { Findings } from '../findings.ts';
import type { SideResult } from '../side-run.ts';
import { addTallies, sum } from '../tally.ts';
import { seconds, wrap } from './words.ts';

type Teller = Pick<MeasureContext, 'say' | 'out'>;

/** Shows both. */
export function showResult(teller: Teller, acts: readonly ActResult[], found: Findings): void {
  teller.say(`\n${tableOf(teller.out, acts)}\n\n${meaningOf(teller.out, acts, found)}`);
}

function tableOf(out: NodeJS.WritableStream, acts: readonly ActResult[]): string {
  const columns = acts.flatMap(({ raw, mcpTx }) => [raw, mcpTx]);
  const row = (title: string, cell: (side: SideResult) => string | number) => [title, ...columns.map(cell)];
  const bad = (count: number): string => styleText(count === 0 ? 'green' : 'red', String(count), { stream: out });
  const own = (side: SideResult, count: number): string | number => (side.side === 'raw' ? '-' : count);
  const table = new Table({
    style: { head: [], border: [], compact: true },
    colWidths: [30, 12, 9, 12, 9],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  table.push(
    [
      '',
      { colSpan: 2, content: 'the servers fail', hAlign: 'center' },
      { colSpan: 2, content: 'program is killed', hAlign: 'center' },
    ],
    ['', 'retry loop', 'MCP-Tx', 'retry loop', 'MCP-Tx'],
    row('calls to be made', (side) => tally(side).calls),
    row('effects that really happened', (side) => tally(side).effects),
    row('duplicates: happened again', (side) => bad(tally(side).duplicates)),
    row('lost: never happened', (side) => bad(tally(side).lost)),
    row('in doubt: nobody could know', (side) => own(side, doubtsOf(side).length)),
    row('  listed, and then resolved', (side) =>
      own(side, doubtsOf(side).filter(({ end }) => end !== 'still in doubt').length),
    ),
    row('time', seconds),
  );
  return table.toString();
}

function meaningOf(
  out: NodeJS.WritableStream,
  acts: readonly ActResult[],
  { raw, mcpTx, inDoubt, ambiguous }: Findings,
): string {
  const gaveUp = sum(acts.map((act) => act.raw.gaveUp));
  const doubts = acts.flatMap((act) => doubtsOf(act.mcpTx));
  const happened = doubts.filter(({ end }) => end === 'happened').length;
  const absent = doubts.filter(({ end }) => end === 'did not happen').length;
  const paragraphs = [
    `The retry loop made ${raw.duplicates} effects too many, and ${raw.lost} are missing. When no answer comes it cannot know ` +
      'whether the call ran. So it guesses: it tries again, or it gives up, ' +
      `as it did ${gaveUp} times, with a line in a log.`,
    `MCP-Tx made ${mcpTx.duplicates} too many, and ${mcpTx.lost} are missing. Of ${ambiguous} calls that got no answer it cleared up ` +
      `${ambiguous - inDoubt} at once and listed ${inDoubt} as in doubt. A look showed that ${happened} of these had happened and ` +
      `${absent} had not; only those were made again. Waiting and looking takes time, which the retry loop saves by guessing.`,
  ];
  return [styleText('bold', 'What it means', { stream: out }), ...paragraphs.map(wrap)].join('\n');
}

function tally({ lanes }: SideResult) {
  return addTallies(lanes.map((lane) => lane.tally));
}

function doubtsOf({ lanes }: SideResult) {
  return lanes.flatMap((lane) => lane.doubts);
}
