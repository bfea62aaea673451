/** The jobs that a worker has under way, so that they can be told to end. */
import type { AbortSource } from '@mcp-tx/core';

/** How a job hears that it has to end, and why. An `AbortSignal` will do. */
export interface JobAbort extends AbortSource {
  readonly reason: unknown;
  /** The job says that it has ended, to whoever keeps such a list. */
  over?(): void;
}

/** Does for a job what BullMQ's `AbortController` does, for less than the rest of its way to the tool costs. */
export class RunningJobs {
  readonly #jobs: RunningJob[] = [];

  /** A job begins. It can be cancelled until it says that it is over. */
  begin(jobId: string): JobAbort {
    return new RunningJob(jobId, this.#jobs);
  }

  /** `false`: it is not under way here. Twice it is where its lock was lost and it came again; then it ends twice. */
  cancel(jobId: string, reason: unknown): boolean {
    const same = this.#jobs.filter((job) => job.jobId === jobId);
    for (const job of same) job.abort(reason);
    return same.length > 0;
  }

  cancelAll(reason: unknown): void {
    for (const job of [...this.#jobs]) job.abort(reason);
  }
}

class RunningJob implements JobAbort {
  readonly jobId: string;
  aborted = false;
  reason: unknown;
  readonly #jobs: RunningJob[];
  #place: number;
  #listeners: (() => void)[] = [];

  constructor(jobId: string, jobs: RunningJob[]) {
    this.jobId = jobId;
    this.#jobs = jobs;
    this.#place = jobs.push(this) - 1;
  }

  /** The last one of the list takes its place. */
  over(): void {
    if (this.#place < 0) return;
    const last = this.#jobs.pop();
    if (last !== undefined && last !== this) {
      last.#place = this.#place;
      this.#jobs[last.#place] = last;
    }
    this.#place = -1;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted) this.#listeners.push(listener); // as with a signal: what is over is not told again
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const place = this.#listeners.indexOf(listener);
    if (place >= 0) this.#listeners.splice(place, 1);
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners.splice(0)) listener();
  }
}
