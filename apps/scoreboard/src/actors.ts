// Starts actors, has them call, and gathers what they are told; ends them by their own process.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Answer, StoreAddress } from './subject.ts';

/** What an actor's process is started with. */
export interface ActorJob {
  readonly subject: string;
  readonly address: StoreAddress;
  /** The file in which effects are written down. */
  readonly effects: string;
  /** How long the work takes once its effect is written down, ms. */
  readonly holdMs: number;
  /** How long a holder that shows no life is trusted, ms, wherever a subject lets one say so. */
  readonly leaseMs: number;
}

/** To an actor. */
export type Wanted =
  | { readonly kind: 'call'; readonly keys: readonly string[]; readonly callers: number }
  | { readonly kind: 'end' };

/** From an actor. */
export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly key: string; readonly given: Answer };

/** Answers by key. */
type Answers = Map<string, Answer[]>;

/** A process that calls a subject. */
export interface Actor {
  /** Has each key called `callers` times at once. Resolves with what came back in time; the rest is missing. */
  call(keys: readonly string[], callers: number, withinMs: number): Promise<Answers>;
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  end(): Promise<void>;
}

const START_MS = 60_000;
const END_MS = 5_000;

/** Starts one; resolves once its subject is open. @throws Error when it cannot be opened */
export async function startActor(job: ActorJob): Promise<Actor> {
  const script = fileURLToPath(new URL('./actor.ts', import.meta.url));
  const child = fork(script, [JSON.stringify(job)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let said = '';
  child.stderr?.on('data', (text) => {
    said = `${said}${text}`.slice(-2_000);
  });
  const exit = once(child, 'exit');
  const ready = once(child, 'message').then(() => 'ready' as const);
  const end = await Promise.race([ready, exit.then(() => 'gone'), sleep(START_MS, 'late', { ref: false })]);
  if (end !== 'ready') {
    child.kill('SIGKILL');
    throw new Error(`${job.subject} did not open (${end}): ${said.trim()}`);
  }
  return {
    call: (keys, callers, withinMs) => call(child, keys, callers, withinMs),
    signal: (name) => void child.kill(name),
    async end() {
      if (child.connected) child.send({ kind: 'end' } satisfies Wanted);
      await Promise.race([exit, sleep(END_MS, undefined, { ref: false })]);
      child.kill('SIGKILL');
    },
  };
}

function call(child: ChildProcess, keys: readonly string[], callers: number, withinMs: number): Promise<Answers> {
  const answers: Answers = new Map(keys.map((key) => [key, []]));
  let missing = keys.length * callers;
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      child.off('message', hear).off('exit', end);
      resolve(answers);
    };
    const hear = (told: Told): void => {
      const given = told.kind === 'answer' ? answers.get(told.key) : undefined;
      if (told.kind !== 'answer' || given === undefined) return;
      given.push(told.given);
      missing -= 1;
      if (missing === 0) end();
    };
    const timer = setTimeout(end, withinMs);
    child.on('message', hear).once('exit', end);
    child.send({ kind: 'call', keys, callers } satisfies Wanted);
  });
}
