// What one run has found so far: figures, faults injected, promises broken.
import type { Report, Violation } from './report.ts';

/** The hands of a measured program. Whatever it does not tell here did not happen. */
export interface MeasureContext<Values = unknown> {
  readonly command: string;
  /** Seed every random choice with this; it stands in the report. */
  readonly seed: number;
  /** The values of the program's own flags. */
  readonly flags: Values;
  /** Aborted by Ctrl-C or SIGTERM: stop soon, clean up, return. */
  readonly signal: AbortSignal;
  /** Where text for people goes: stdout, or stderr under --json. For tables and progress bars. */
  readonly out: NodeJS.WritableStream;
  /** One line for people. */
  say(line: string): void;
  /** Where the run stands. On stderr; one changing line on a terminal, otherwise a line now and then. */
  progress(done: number, total: number, what: string): void;
  /** A result. Ids are stable: other programs compare them over time. */
  figure(id: string, value: number): void;
  /** Announces a fault that this run must inject: never injected means the run proved nothing, and is not ok. */
  planFault(kind: string): void;
  /** Counts faults really injected. */
  fault(kind: string, count?: number): void;
  /** A promise that did not hold. The run goes on; it ends not ok. */
  violation(id: string, says: string): void;
}

/** Collects what a program tells its context. */
export class Measurement {
  readonly #figures = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #violations: Violation[] = [];

  figure(id: string, value: number): void {
    // JSON has no NaN and no Infinity: they would arrive as null, a figure that nobody can compare.
    if (!Number.isFinite(value)) throw new TypeError(`figure "${id}" must be a finite number, it is ${value}`);
    if (this.#figures.has(id)) throw new TypeError(`figure "${id}" is told twice`);
    this.#figures.set(id, value);
  }

  planFault(kind: string): void {
    this.fault(kind, 0);
  }

  fault(kind: string, count: number): void {
    if (!Number.isSafeInteger(count) || count < 0) throw new TypeError(`fault "${kind}" has the count ${count}`);
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
  }

  violation(id: string, says: string): void {
    this.#violations.push({ id, says });
  }

  /** The whole run. A fault that was planned and never came is a violation too. */
  report(run: Pick<Report, 'command' | 'seed' | 'commit' | 'seconds'>): Report {
    const missing = [...this.#faults].filter(([, count]) => count === 0).map(([kind]) => kind);
    const violations = [
      ...this.#violations,
      ...missing.map((kind) => ({
        id: 'fault-never-injected',
        says: `the fault "${kind}" was planned and never injected`,
      })),
    ];
    return {
      ok: violations.length === 0,
      ...run,
      figures: Object.fromEntries(this.#figures),
      faults: Object.fromEntries(this.#faults),
      violations,
    };
  }
}
