/** Starts the worker as a process of its own, listens to it, kills it when told to, and waits until all that it started is gone. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FASTER_STARTS } from 'shop';
import type { Job, WorkerMessage } from './job.ts';
import type { ServerName } from './work/lane.ts';

/** How a worker's life went. */
export interface WorkerRun {
  readonly pid: number;
  /** Calls it had ended, per server. */
  readonly done: ReadonlyMap<ServerName, number>;
  /** Keys of calls that the retry loop gave up on. */
  readonly gaveUp: ReadonlySet<string>;
  /** Operations that MCP-Tx told its caller were in doubt. */
  readonly toldInDoubt: ReadonlyMap<string, ServerName>;
  readonly killed: boolean;
}

/** What the starter wants. */
export interface WorkerOptions {
  readonly signal: AbortSignal;
  onDone(server: ServerName, done: number): void;
  /** `kill -9` as soon as this is true. */
  killWhen?(done: ReadonlyMap<ServerName, number>): boolean;
}

const LAST_WORDS = 2_000;

/**
 * Runs a worker to its end.
 *
 * @throws Error when it fails by itself, with its last words; the signal's reason when that stopped it.
 */
export async function runWorker(job: Job, { signal, onDone, killWhen }: WorkerOptions): Promise<WorkerRun> {
  signal.throwIfAborted();
  const worker = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), [JSON.stringify(job)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...FASTER_STARTS },
  });
  const kill = (): void => void worker.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const done = new Map<ServerName, number>();
  const gaveUp = new Set<string>();
  const toldInDoubt = new Map<string, ServerName>();
  let lastWords = '';
  worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'gave-up') gaveUp.add(message.key);
    if (message.kind === 'in-doubt') toldInDoubt.set(message.operationId, message.server);
    if (message.kind !== 'done') return;
    done.set(message.server, message.done);
    onDone(message.server, message.done);
    if (killWhen?.(done) === true) kill();
  });
  // Its servers inherit its stderr. 'close' comes when the last of them has gone, so nothing happens behind our back later.
  const [code, killedBy] = (await once(worker, 'close')) as [number | null, NodeJS.Signals | null];
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  const killed = killedBy === 'SIGKILL';
  if (!killed && code !== 0) throw new Error(`the ${job.side} worker failed (${killedBy ?? code}): ${lastWords}`);
  return { pid: worker.pid ?? 0, done, gaveUp, toldInDoubt, killed };
}
