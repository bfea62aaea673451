// Spreads work over worker processes; each of them may run a mutant instead of the sources as they are.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SetPieces } from '../set-pieces.ts';
import type { Tally } from './tally.ts';

/** What a worker is asked for. */
export type Task =
  | { readonly kind: 'histories'; readonly first: number; readonly count: number; readonly stopAtFailure: boolean }
  | { readonly kind: 'set-pieces'; readonly seed: number };

type Result<T extends Task> = T['kind'] extends 'histories' ? Tally : SetPieces;

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const LOAD_MUTANT = new URL('../mutants/load-mutant.ts', import.meta.url).href;

/** One worker process. */
export class Worker {
  readonly #child: ChildProcess;

  constructor(mutant?: string) {
    const execArgv = ['--conditions=mcp-tx:source', ...(mutant === undefined ? [] : ['--import', LOAD_MUTANT])];
    const env = mutant === undefined ? process.env : { ...process.env, SIMULATE_MUTANT: mutant };
    this.#child = fork(WORKER, [], { execArgv, env });
  }

  /** Does one task. @throws Error when the process ends before it has done it */
  do<T extends Task>(task: T): Promise<Result<T>> {
    return new Promise((resolve, reject) => {
      const fail = (code: number | null): void =>
        reject(new Error(`a worker ended with ${code} in ${JSON.stringify(task)}`));
      this.#child.once('exit', fail);
      this.#child.once('message', (result) => {
        this.#child.off('exit', fail);
        resolve(result as Result<T>);
      });
      this.#child.send(task);
    });
  }

  close(): void {
    this.#child.kill();
  }
}
