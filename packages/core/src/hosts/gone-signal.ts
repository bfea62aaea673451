/** Tells when the client of a request has gone before it had its answer. */
import type { ServerResponse } from 'node:http';
import type { AbortSource } from '../runtime/abort-source.ts';

/** Aborts when the client goes before it has its answer. Costs nothing until somebody listens. */
export function goneSignal(response: ServerResponse): AbortSource {
  return new GoneSignal(response);
}

/** Not an `AbortSignal`: one of those for each request costs more than the rest of the way through a host. */
class GoneSignal implements AbortSource {
  readonly #response: ServerResponse;
  #listeners: (() => void)[] | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get aborted(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.aborted) return; // as with a signal: what is over is not told again
    if (this.#listeners === undefined) {
      this.#listeners = [];
      this.#response.on('close', () => this.#closed());
    }
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners?.filter((other) => other !== listener);
  }

  #closed(): void {
    const listeners = this.#listeners ?? [];
    this.#listeners = [];
    if (this.aborted) for (const listener of listeners) listener();
  }
}
