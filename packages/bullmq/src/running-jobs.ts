/** The jobs that a worker has under way, so that they can be told to end. */
import type { AbortSource } from '@mcp-tx/core';

/** How a job hears that it has to end, and why. An `AbortSignal` will do. */
export interface JobAbort extends AbortSource {
  readonly reason: unknown;
}

/** Does for a job what BullMQ's `AbortController` does, for less than the rest of its way to the tool costs. */
export class RunningJobs {
  readonly #signals = new Map<string, JobSignal>();

  /** Runs a job that can be cancelled meanwhile. */
  async run<T>(jobId: string, work: (signal: JobAbort) => Promise<T>): Promise<T> {
    const signal = new JobSignal();
    this.#signals.set(jobId, signal);
    try {
      return await work(signal);
    } finally {
      // A job whose lock was lost may be here again by now.
      if (this.#signals.get(jobId) === signal) this.#signals.delete(jobId);
    }
  }

  /** `false`: it is not under way here. */
  cancel(jobId: string, reason: unknown): boolean {
    const signal = this.#signals.get(jobId);
    signal?.abort(reason);
    return signal !== undefined;
  }

  cancelAll(reason: unknown): void {
    for (const signal of this.#signals.values()) signal.abort(reason);
  }
}

class JobSignal implements JobAbort {
  aborted = false;
  reason: unknown;
  #listeners: (() => void)[] = [];

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
