// The result of a measured run: its shape as JSON and its look for people.

/** A promise that did not hold in this run. */
export interface Violation {
  readonly id: string;
  readonly says: string;
}

/** The last line of stdout under --json. `ok` is false as soon as there is one violation. */
export interface Report {
  readonly ok: boolean;
  readonly command: string;
  readonly seed: number;
  /** The commit of the sources, with `-dirty` when they were changed since; `unknown` outside of git. */
  readonly commit: string;
  readonly seconds: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/** The report for people. Ends with one line that says how it went. */
export function describeReport(report: Report): string {
  const { figures, faults, violations } = report;
  const problems = violations.length === 1 ? '1 violation' : `${violations.length} violations`;
  return [
    ...section('figures', figures),
    ...section('faults injected', faults),
    ...(violations.length > 0 ? ['', 'violations', ...violations.map(({ id, says }) => `  ${id}: ${says}`)] : []),
    '',
    `${report.command}: ${report.ok ? 'ok' : `NOT OK, ${problems}`} · ${report.seconds} s · seed ${report.seed} · commit ${report.commit}`,
  ].join('\n');
}

function section(title: string, values: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(values);
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([name]) => name.length));
  return ['', title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${format(value)}`)];
}

function format(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
