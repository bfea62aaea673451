// Keeps a few workers of a queue running, and kills one after the other in the middle of its calls.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { QueueJob } from './queue-worker.ts';

const WORKERS = 2;

/** How and how often to kill. */
export interface QueueKillPlan {
  readonly kills: number;
  readonly random: () => number;
  readonly onProgress: (kills: number) => void;
  readonly signal: AbortSignal;
}

/** Workers that are killed, and replaced. */
export interface QueueWorkers {
  /** Killed so far. */
  readonly kills: number;
  /** Ends all workers in good order. */
  close(): Promise<void>;
}

/** Starts workers; each is killed shortly after some end of a run, while others are under way. */
export function startQueueWorkers(job: QueueJob, plan: QueueKillPlan): QueueWorkers {
  const script = fileURLToPath(new URL('./queue-worker.ts', import.meta.url));
  const share = job.operations / (plan.kills + 1);
  const workers = new Set<ChildProcess>();
  const doomed = new WeakSet<ChildProcess>();
  let planned = 0;
  let kills = 0;
  let seen = 0;
  let nextKill = share * plan.random();
  let isClosing = false;

  const start = (): void => {
    const worker = spawn(process.execPath, [...process.execArgv, script, JSON.stringify(job)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    workers.add(worker);
    worker.once('exit', (_code, signal) => {
      workers.delete(worker);
      if (doomed.has(worker) && signal === 'SIGKILL') {
        kills += 1;
        plan.onProgress(kills);
      }
      if (!isClosing && !plan.signal.aborted) start();
    });
    worker.stdin.on('error', () => undefined); // killed
    createInterface(worker.stdout).on('line', (line) => onLine(worker, line));
  };
  const onLine = (worker: ChildProcess, line: string): void => {
    if (!line.startsWith('end ')) return;
    seen += 1;
    if (seen < nextKill || planned >= plan.kills || doomed.has(worker)) return;
    doomed.add(worker);
    planned += 1;
    nextKill = share * (planned + plan.random());
    void sleep(plan.random() * 6).then(() => worker.kill('SIGKILL')); // somewhere in the life of the next calls
  };
  for (let n = 0; n < WORKERS; n += 1) start();
  plan.signal.addEventListener('abort', () => {
    for (const worker of workers) worker.kill('SIGKILL');
  });
  return {
    get kills() {
      return kills;
    },
    async close() {
      isClosing = true;
      const gone = [...workers].map((worker) => once(worker, 'exit'));
      for (const worker of workers) worker.stdin?.end();
      await Promise.race([Promise.all(gone), sleep(15_000, undefined, { ref: false })]);
      for (const worker of workers) worker.kill('SIGKILL');
    },
  };
}
