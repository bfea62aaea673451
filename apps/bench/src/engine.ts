// bench engine: what a call through MCP-Tx costs over the raw in-memory SDK call, and what a replay costs.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { MeasureContext, MeasuredProgram } from 'measure';
import { median } from './interleave.ts';

/** The goals that fail a run. The null test compares the raw call with itself: outside of its band, nothing else counts. */
const MUSTS: readonly {
  readonly id: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly says: string;
}[] = [
  { id: 'null', atLeast: 0.95, atMost: 1.05, says: 'raw call against raw call' },
  { id: 'E1', atMost: 1.1, says: 'no ledger, our timer, default mode' },
  { id: 'E2.overFloor', atMost: 1.1, says: 'the keyed call over its floor, both of this run (docs/adr/0012)' },
  { id: 'E6.listenersLeft', atMost: 0, says: 'listeners left on a shared AbortSignal' },
  { id: 'E6.growth', atMost: 1.25, says: 'cost after 10,000 calls on one AbortSignal, over the cost before' },
];

const SAYS: Readonly<Record<string, string>> = {
  'E1.memory': 'memory ledger, no key',
  'E2.key': 'memory ledger, caller key, fingerprint and conflict check',
  'E2.fingerprintOff': 'memory ledger, caller key, no conflict check',
  'E2.floor': 'the raw call, two digests, a record kept as long, the result as text and back: nothing else',
  'peer.pRetry': 'p-retry with 3 attempts around the raw call',
  'peer.cockatiel': 'cockatiel: retry, timeout, breaker and bulkhead around the raw call',
  'D1.key': 'microseconds for a replay from memory',
  'E6.rawOverOurs': 'raw call with an AbortSignal shared by 13,000 calls, over ours',
};

const flags = {
  passes: { kind: 'integer', says: 'processes that measure everything anew', default: 4, min: 1, max: 100 },
  rounds: { kind: 'integer', says: 'alternations in each comparison', default: 12, min: 1, max: 1_000 },
} as const;

/** The program. */
export const engine: MeasuredProgram<typeof flags> = {
  command: 'bench engine',
  about: 'the cost of a call through MCP-Tx over the raw in-memory SDK call',
  seed: 1,
  flags,
  run,
};

async function run(context: MeasureContext<{ readonly passes: number; readonly rounds: number }>): Promise<void> {
  const { passes, rounds } = context.flags;
  const all: Record<string, number>[] = [];
  for (let pass = 0; pass < passes; pass += 1) {
    context.progress(pass, passes, 'passes');
    all.push(await onePass(rounds, context.signal));
  }
  context.progress(passes, passes, 'passes');
  const ids = Object.keys(all[0] ?? {});
  for (const id of ids) {
    const value = median(all.map((figures) => figures[id] as number));
    context.figure(id, Math.round(value * 1_000) / 1_000);
    const must = MUSTS.find((goal) => goal.id === id);
    const range = all.map((figures) => (figures[id] as number).toFixed(2)).join(' ');
    if (must !== undefined || SAYS[id] !== undefined) {
      context.say(`${id.padEnd(20)} ${value.toFixed(3).padStart(8)}  (${range})  ${must?.says ?? SAYS[id]}`);
    }
    if (must?.atMost !== undefined && value > must.atMost)
      context.violation(id, `${value.toFixed(3)} is more than ${must.atMost}`);
    if (must?.atLeast !== undefined && value < must.atLeast)
      context.violation(id, `${value.toFixed(3)} is less than ${must.atLeast}`);
  }
}

function onePass(rounds: number, signal: AbortSignal): Promise<Record<string, number>> {
  const script = fileURLToPath(new URL('./engine-pass.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, '--expose-gc', script, String(rounds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as Record<string, number>);
      else reject(new Error(`a pass ended with exit code ${code}`));
    });
  });
}
