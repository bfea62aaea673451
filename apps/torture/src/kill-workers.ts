// Starts workers one after the other and kills or pauses each in the middle of its calls, until one of them gets to the end.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Job } from './work.ts';
import { orderOf, TIMES } from './work.ts';

/** What there is to tell about the workers. */
export interface KillReport {
  readonly kills: number;
  /** Workers that were stopped beyond their lease, while the next one worked, and woken again. */
  readonly pauses: number;
  /** What workers were told that is no result, by how often. */
  readonly errors: Readonly<Record<string, number>>;
}

/** How and how often to kill. */
export interface KillPlan {
  readonly kills: number;
  readonly pauses: number;
  /** A number in [0, 1), seeded. */
  readonly random: () => number;
  readonly onProgress: (kills: number) => void;
  /** After each answer of a new operation: how many have one. */
  readonly onAnswered: (answered: number) => void;
  /** The ledger did not take a worker's write, which is being repeated. */
  readonly onRefused: () => void;
  readonly signal: AbortSignal;
}

type Fate = 'kill' | 'pause' | 'live';

/** How far the last ones before the first unanswered operation are asked for again by each worker; the last asks for all. */
const ASK_AGAIN = 100;
/** How long a paused worker sleeps, ms: its leases end, the next worker starts and sweeps. */
const PAUSE_MS = 3.5 * TIMES.leaseMs;
const RETRY_START_MS = 200;

/** Runs workers over the job until all operations have an answer. Resolves when no worker is left. */
export async function killWorkers(job: Job, plan: KillPlan): Promise<KillReport> {
  return new Killing(job, plan).run();
}

class Killing {
  readonly #job: Job;
  readonly #plan: KillPlan;
  readonly #answered = new Set<string>();
  readonly #errors: Record<string, number> = {};
  readonly #asleep: Promise<void>[] = [];
  #kills = 0;
  #pauses = 0;

  constructor(job: Job, plan: KillPlan) {
    this.#job = job;
    this.#plan = plan;
  }

  async run(): Promise<KillReport> {
    const { kills, pauses, signal, onProgress } = this.#plan;
    for (let failures = 0; failures < 200; ) {
      signal.throwIfAborted();
      const left = kills + pauses - this.#kills - this.#pauses;
      const fate = left === 0 ? 'live' : this.#plan.random() * left < kills - this.#kills ? 'kill' : 'pause';
      const end = await this.#watch(startWorker(this.#jobFor(fate)), fate, this.#share(left));
      if (end === 'killed') this.#kills += 1;
      if (end === 'paused') this.#pauses += 1;
      onProgress(this.#kills);
      if (end === 'done') break;
      if (end !== 'failed') continue;
      failures += 1; // the store was away when it started
      await sleep(RETRY_START_MS);
    }
    await Promise.all(this.#asleep);
    if (this.#answered.size < this.#job.operations) throw new Error('the workers never got to the end');
    return { kills: this.#kills, pauses: this.#pauses, errors: this.#errors };
  }

  /** A worker's share is of what is *left*, so that the work never ends before the last of the faults that were asked for. */
  #share(left: number): number {
    if (left === 0) return Number.POSITIVE_INFINITY;
    const share = (this.#job.operations - this.#answered.size) / (left + 1);
    return Math.max(1, Math.round(share * (0.5 + this.#plan.random())));
  }

  #jobFor(fate: Fate): Job {
    if (fate === 'live') return this.#job;
    let first = 0;
    while (this.#answered.has(orderOf(first))) first += 1;
    return { ...this.#job, from: Math.max(0, first - ASK_AGAIN) };
  }

  /** Strikes shortly after the `share`-th operation got its answer, while others are on their way. */
  async #watch(worker: ChildProcess, fate: Fate, share: number): Promise<'killed' | 'paused' | 'done' | 'failed'> {
    const { random, signal } = this.#plan;
    const exit = once(worker, 'exit');
    const stop = (): void => void worker.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    const strikeAt = this.#answered.size + share;
    let isDone = false;
    let isStruck = false;
    const lines = createInterface({ input: worker.stdout as NodeJS.ReadableStream });
    const heard = new Promise<void>((resolve) => void lines.once('close', resolve));
    const struck = new Promise<void>((resolve) => {
      lines.on('line', (line) => {
        if (line === 'done') isDone = true;
        const isFresh = this.#note(line);
        if (!isFresh || this.#answered.size < strikeAt || isStruck) return;
        isStruck = true;
        void sleep(random() * 6).then(resolve); // somewhere in the life of the next calls
      });
    });
    await Promise.race([struck, exit]);
    if (isStruck && !isDone && fate === 'pause' && worker.kill('SIGSTOP')) {
      this.#asleep.push(wakeLater(worker, Promise.all([exit, heard])));
      return 'paused';
    }
    if (isStruck && !isDone) stop();
    const [, by] = (await exit) as [number | null, NodeJS.Signals | null];
    await heard;
    signal.removeEventListener('abort', stop);
    if (by === 'SIGKILL') return 'killed';
    return isDone ? 'done' : 'failed';
  }

  /** Whether the line is the first answer of an operation. */
  #note(line: string): boolean {
    const [kind, order = '', what] = line.split(' ');
    if (what === undefined) return false;
    if (what !== 'completed') this.#errors[what] = (this.#errors[what] ?? 0) + 1;
    if (kind === 'wait') this.#plan.onRefused();
    if (kind === 'wait' || this.#answered.has(order)) return false;
    this.#answered.add(order);
    this.#plan.onAnswered(this.#answered.size);
    return kind === 'new';
  }
}

/** It wakes beyond its leases, hears its answers, and ends in good order. */
async function wakeLater(worker: ChildProcess, gone: Promise<unknown>): Promise<void> {
  await sleep(PAUSE_MS);
  worker.kill('SIGCONT');
  worker.kill('SIGTERM');
  await Promise.race([gone, sleep(30_000, undefined, { ref: false })]);
  worker.kill('SIGKILL');
}

function startWorker(job: Job): ChildProcess {
  const script = fileURLToPath(new URL('./worker.ts', import.meta.url));
  return spawn(process.execPath, [...process.execArgv, script, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
