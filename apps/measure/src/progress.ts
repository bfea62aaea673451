// How a run shows where it stands without getting into the way of its results.

const LINE_EVERY_MS = 2_000;
const REDRAW_EVERY_MS = 100;

/** A stream as far as progress needs it. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Draws on stderr. On a terminal one line that changes; elsewhere (CI, a file) plain lines, few enough to read. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #open = false;

  constructor(stream: ProgressStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  show(done: number, total: number, what: string): void {
    const terminal = this.#stream.isTTY === true;
    const last = done >= total;
    if (!last && this.#now() - this.#drawnAt < (terminal ? REDRAW_EVERY_MS : LINE_EVERY_MS)) return;
    this.#drawnAt = this.#now();
    const text = `${what} ${done}/${total}`;
    this.#stream.write(terminal ? `\r\u001b[2K${text}` : `${text}\n`);
    this.#open = terminal;
    if (last) this.end();
  }

  /** Ends a changing line, so that whatever is written next starts on its own. */
  end(): void {
    if (this.#open) this.#stream.write('\n');
    this.#open = false;
  }
}
