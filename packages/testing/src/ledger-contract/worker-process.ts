/** Starts and drives the child processes of the contract's shared cases. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Claim, ClaimRequest, Outcome, Swept } from '@mcp-tx/core/ledger';
import type { LedgerWorker } from './fixture.ts';

/** What a worker can be told. */
export type WorkerOrder = { readonly order: number } & (
  | { readonly do: 'claim'; readonly request: ClaimRequest }
  | { readonly do: 'race'; readonly requests: readonly ClaimRequest[]; readonly startAt: number }
  | { readonly do: 'markSent'; readonly operationId: string; readonly attempt: number }
  | { readonly do: 'settle'; readonly operationId: string; readonly outcome: Outcome }
  | { readonly do: 'sweep'; readonly limit: number }
  | { readonly do: 'close' }
);

/** What it answers, under the number of the order; its first answer is number 0. */
export type WorkerAnswer = { readonly order: number } & ({ readonly value: unknown } | { readonly error: string });

/** Another process with a ledger on the same store. */
export interface WorkerProcess {
  claim(request: ClaimRequest): Promise<Claim>;
  /** Claims all at once, at the instant `startAt`. */
  race(requests: readonly ClaimRequest[], startAt: number): Promise<readonly Claim[]>;
  markSent(operationId: string, attempt: number): Promise<boolean>;
  settle(operationId: string, outcome: Outcome): Promise<boolean>;
  sweep(limit: number): Promise<readonly Swept[]>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Closes its ledger and ends it. */
  close(): Promise<void>;
}

/** Starts a worker; resolves once its ledger is open. */
export async function startWorker(worker: LedgerWorker): Promise<WorkerProcess> {
  const own = import.meta.url;
  const script = fileURLToPath(new URL(own.endsWith('.ts') ? './worker.ts' : './worker.js', own));
  const child = fork(script, [worker.module, worker.argument], {
    execArgv: [...(worker.execArgv ?? [])],
    serialization: 'advanced',
  });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let last = 0;
  child.on('message', (answer: WorkerAnswer) => {
    const caller = waiting.get(answer.order);
    waiting.delete(answer.order);
    if ('error' in answer) caller?.reject(new Error(`the worker failed: ${answer.error}`));
    else caller?.resolve(answer.value);
  });
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the worker ended with ${signal ?? code}`));
    waiting.clear();
  });
  const answerTo = (order: number): Promise<unknown> =>
    new Promise((resolve, reject) => waiting.set(order, { resolve, reject }));
  const tell = <T>(
    order: WorkerOrder extends infer O ? (O extends unknown ? Omit<O, 'order'> : never) : never,
  ): Promise<T> => {
    last += 1;
    const answer = answerTo(last) as Promise<T>;
    child.send({ ...order, order: last });
    return answer;
  };
  await answerTo(0);
  return {
    claim: (request) => tell({ do: 'claim', request }),
    race: (requests, startAt) => tell({ do: 'race', requests, startAt }),
    markSent: (operationId, attempt) => tell({ do: 'markSent', operationId, attempt }),
    settle: (operationId, outcome) => tell({ do: 'settle', operationId, outcome }),
    sweep: (limit) => tell({ do: 'sweep', limit }),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async close() {
      await tell({ do: 'close' });
      child.disconnect();
      await ended;
    },
  };
}
