// Puts load on a client process: calls arrive by chance (Poisson) at a given rate, whether earlier ones have ended or not.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { End, Subject } from './scene.ts';

/** One call: when it was due, when it ended, ms, and how. */
export interface LoadedCall {
  readonly dueAt: number;
  readonly endedAt: number;
  readonly end: End;
}

/** A client process under load. */
export class Load implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #random: () => number;
  readonly #due: Map<number, number> = new Map();
  #calls: LoadedCall[] = [];
  #next = 0;
  #settled: (() => void) | undefined;

  private constructor(child: ChildProcess, random: () => number) {
    this.#child = child;
    this.#random = random;
  }

  /** Starts the client and waits until it is connected to its server. */
  static async start(subject: Subject, random: () => number): Promise<Load> {
    const script = fileURLToPath(new URL('./client-process.ts', import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, script, subject], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const load = new Load(child, random);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the client process ended with exit code ${code}`)));
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        if (line === 'ready') resolve();
        else load.#ended(line);
      });
    });
    return load;
  }

  /** Lets calls arrive for so long, waits for all of them, and tells how they went. A call's time counts from when it was due. */
  async offer(perSecond: number, durationMs: number, signal: AbortSignal): Promise<readonly LoadedCall[]> {
    this.#calls = [];
    const startedAt = performance.now();
    let dueAt = startedAt;
    while (performance.now() < startedAt + durationMs) {
      signal.throwIfAborted();
      const now = performance.now();
      let lines = '';
      for (; dueAt <= now; dueAt += (-Math.log(1 - this.#random()) * 1_000) / perSecond) {
        this.#due.set(this.#next, dueAt);
        lines += `${this.#next}\n`;
        this.#next += 1;
      }
      if (lines !== '') this.#child.stdin?.write(lines);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise<void>((resolve) => {
      this.#settled = resolve;
      if (this.#due.size === 0) resolve();
    });
    return this.#calls;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.removeAllListeners('exit').once('exit', () => undefined);
    this.#child.kill('SIGKILL');
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 2_000))]);
  }

  #ended(line: string): void {
    const [number, end] = line.split(' ');
    const dueAt = this.#due.get(Number(number));
    if (dueAt === undefined) throw new Error(`the client process told of a call that was not made: ${line}`);
    this.#due.delete(Number(number));
    this.#calls.push({ dueAt, endedAt: performance.now(), end: end as End });
    if (this.#due.size === 0) this.#settled?.();
  }
}
