// bench http: requests per second of Express with MCP-Tx, over those of the same Express handler calling the tool bare.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { MeasureContext, MeasuredProgram } from 'measure';
import { loadOn } from './http/load.ts';
import { median } from './interleave.ts';

/** What is compared with the bare handler. The null test is the bare handler in another process: outside of its band, nothing else counts. */
const CONTENDERS = [
  {
    id: 'null',
    subject: 'bare',
    withKeys: false,
    atLeast: 0.93,
    atMost: 1.07,
    says: 'bare handler against bare handler',
  },
  {
    id: 'H1',
    subject: 'router',
    withKeys: false,
    atLeast: 0.85,
    says: 'the router, a tool that is declared read-only',
  },
  { id: 'H1.key', subject: 'router', withKeys: true, says: 'the router, each request with a key of its own' },
  { id: 'H1.middleware', subject: 'middleware', withKeys: false, says: 'the same handler with req.mcpTx' },
] as const;

const flags = {
  rounds: { kind: 'integer', says: 'alternations in each comparison', default: 12, min: 1, max: 1_000 },
  warmMs: {
    kind: 'integer',
    says: 'how long each server is asked before anything counts; compilers need so long to be done',
    default: 15_000,
    min: 100,
    max: 120_000,
  },
  batchMs: { kind: 'integer', says: 'how long one batch of requests is', default: 300, min: 50, max: 10_000 },
} as const;

type Values = { readonly rounds: number; readonly warmMs: number; readonly batchMs: number };

/** The program. */
export const http: MeasuredProgram<typeof flags> = {
  command: 'bench http',
  about: 'requests per second of Express with MCP-Tx over the same handler calling the tool bare',
  seed: 1,
  flags,
  run,
};

async function run(context: MeasureContext<Values>): Promise<void> {
  await using base = await startSubject('bare', false);
  await base.batch(context.flags.warmMs);
  for (const [place, { id, subject, withKeys, says, ...goal }] of CONTENDERS.entries()) {
    context.progress(place, CONTENDERS.length, id);
    await using contender = await startSubject(subject, withKeys);
    await contender.batch(context.flags.warmMs);
    const { rate, cpu, perSecond } = await compare(base, contender, context.flags);
    context.figure(id, round(rate));
    context.figure(`${id}.cpu`, round(cpu));
    context.figure(`${id}.perSecond`, Math.round(perSecond));
    context.say(
      `${id.padEnd(14)} ${rate.toFixed(3)} of the requests, ${cpu.toFixed(3)} of them by processor time: ${says}`,
    );
    if ('atLeast' in goal && rate < goal.atLeast)
      context.violation(id, `${rate.toFixed(3)} is less than ${goal.atLeast}`);
    if ('atMost' in goal && rate > goal.atMost) context.violation(id, `${rate.toFixed(3)} is more than ${goal.atMost}`);
  }
}

interface Subject extends AsyncDisposable {
  /** Requests answered in a second, and in a second of the server's processor time. */
  batch(ms: number): Promise<{ readonly rate: number; readonly cpuRate: number }>;
}

async function compare(base: Subject, contender: Subject, { rounds, batchMs }: Values) {
  const ratios: { readonly rate: number; readonly cpu: number; readonly perSecond: number }[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const [first, middle, last] = [
      await base.batch(batchMs),
      await contender.batch(batchMs),
      await base.batch(batchMs),
    ];
    const rate = middle.rate / ((first.rate + last.rate) / 2);
    const cpu = middle.cpuRate / ((first.cpuRate + last.cpuRate) / 2);
    ratios.push({ rate, cpu, perSecond: middle.rate });
  }
  const of = (name: 'rate' | 'cpu' | 'perSecond'): number => median(ratios.map((ratio) => ratio[name]));
  return { rate: of('rate'), cpu: of('cpu'), perSecond: of('perSecond') };
}

async function startSubject(name: string, withKeys: boolean): Promise<Subject> {
  const script = fileURLToPath(new URL('./http/server.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, name], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const gone = once(child, 'exit');
  const [port] = (await once(lines, 'line')) as [string];
  const load = await loadOn(Number(port), withKeys);
  const cpuMicros = async (): Promise<number> => {
    const line = once(lines, 'line') as Promise<[string]>;
    child.stdin.write('cpu\n');
    return Number((await line)[0]);
  };
  return {
    async batch(ms) {
      const before = await cpuMicros();
      const { answered, seconds } = await load.ask(ms);
      const cpuSeconds = ((await cpuMicros()) - before) / 1_000_000;
      return { rate: answered / seconds, cpuRate: answered / cpuSeconds };
    },
    async [Symbol.asyncDispose]() {
      load.close();
      child.stdin.end();
      await gone;
    },
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
