/** Where the work stands: bars on a terminal, a plain line now and then elsewhere. */
import type { SingleBar } from 'cli-progress';
import { MultiBar } from 'cli-progress';
import type { Side } from '../job.ts';
import type { ServerName } from '../work/lane.ts';
import { SIDE_NAMES } from './words.ts';

const LINE_EVERY_MS = 5_000;

/** The progress of one act. */
export interface Progress {
  show(side: Side, server: ServerName, done: number): void;
  /** Says a few words behind the bar. */
  note(side: Side, server: ServerName, says: string): void;
  /** All of it is done. */
  end(side: Side, server: ServerName): void;
  /** Leaves the terminal as it was. */
  stop(): void;
}

/** What is to be shown. */
export interface Rows {
  readonly out: NodeJS.WritableStream;
  readonly sides: readonly Side[];
  readonly servers: readonly ServerName[];
  readonly total: number;
}

/** Starts to show. */
export function startProgress(rows: Rows): Progress {
  return 'isTTY' in rows.out && rows.out.isTTY === true ? bars(rows) : lines(rows);
}

function bars({ out, sides, servers, total }: Rows): Progress {
  const format = '  {label} {bar} {value}/{total} {note}';
  const multi = new MultiBar({
    format,
    stream: out,
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
  });
  const all = new Map<string, SingleBar>();
  for (const side of sides) {
    for (const server of servers)
      all.set(side + server, multi.create(total, 0, { label: label(side, server), note: '' }));
  }
  return {
    show: (side, server, done) => all.get(side + server)?.update(done),
    note: (side, server, note) => all.get(side + server)?.update({ note }),
    end: (side, server) => all.get(side + server)?.update(total),
    stop: () => multi.stop(),
  };
}

function lines({ out, total }: Rows): Progress {
  const shownAt = new Map<string, number>();
  const write = (side: Side, server: ServerName, says: string): void => {
    shownAt.set(side + server, performance.now());
    out.write(`  ${label(side, server)} ${says}\n`);
  };
  return {
    show(side, server, done) {
      const since = performance.now() - (shownAt.get(side + server) ?? Number.NEGATIVE_INFINITY);
      if (since >= LINE_EVERY_MS) write(side, server, `${done}/${total}`);
    },
    note: write,
    end: (side, server) => write(side, server, `${total}/${total}`),
    stop: () => undefined,
  };
}

function label(side: Side, server: ServerName): string {
  return `${SIDE_NAMES[side].padEnd(16)} ${server.padEnd(10)}`;
}
