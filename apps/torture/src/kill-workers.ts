// Starts workers one after the other and kills each in the middle of its calls, until one of them gets to the end.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Job } from './work.ts';

/** What there is to tell about the workers. */
export interface KillReport {
  readonly kills: number;
  /** Error codes that workers were told, by how often. */
  readonly errors: Readonly<Record<string, number>>;
}

/** How and how often to kill. */
export interface KillPlan {
  readonly kills: number;
  /** A number in [0, 1), seeded. */
  readonly random: () => number;
  readonly onProgress: (kills: number) => void;
  readonly signal: AbortSignal;
}

/** Runs workers over the job until all operations have an answer. Resolves when no worker is left. */
export async function killWorkers(job: Job, plan: KillPlan): Promise<KillReport> {
  const errors: Record<string, number> = {};
  let kills = 0;
  for (let run = 0; run < plan.kills + 50; run += 1) {
    plan.signal.throwIfAborted();
    const mayKill = kills < plan.kills;
    const share = Math.max(1, Math.floor(job.operations / (plan.kills + 1)));
    const killAfter = mayKill ? Math.max(1, Math.round(share * (0.5 + plan.random()))) : Number.POSITIVE_INFINITY;
    const worker = startWorker(job);
    const end = await watch(worker, killAfter, plan, errors);
    if (end === 'killed') kills += 1;
    plan.onProgress(kills);
    if (end === 'done') return { kills, errors };
  }
  throw new Error('the workers never got to the end');
}

function startWorker(job: Job): ChildProcess {
  const script = fileURLToPath(new URL('./worker.ts', import.meta.url));
  return spawn(process.execPath, [...process.execArgv, script, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Kills the worker shortly after its `killAfter`-th new answer, while others are on their way. */
async function watch(
  worker: ChildProcess,
  killAfter: number,
  { random, signal }: KillPlan,
  errors: Record<string, number>,
): Promise<'killed' | 'done' | 'failed'> {
  const exit = once(worker, 'exit');
  const stop = (): void => void worker.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  let fresh = 0;
  let isDone = false;
  let isKilled = false;
  for await (const line of createInterface({ input: worker.stdout as NodeJS.ReadableStream })) {
    if (line === 'done') isDone = true;
    const [kind, , what] = line.split(' ');
    if (what !== undefined && what !== 'completed') errors[what] = (errors[what] ?? 0) + 1;
    if (kind === 'new') fresh += 1;
    if (fresh < killAfter || isKilled || isDone) continue;
    isKilled = true;
    await sleep(random() * 6); // somewhere in the life of the next calls
    worker.kill('SIGKILL');
  }
  const [, by] = (await exit) as [number | null, NodeJS.Signals | null];
  signal.removeEventListener('abort', stop);
  if (isDone) return 'done';
  return by === 'SIGKILL' ? 'killed' : 'failed';
}
