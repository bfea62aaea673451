/** Measures how long the server has been silent about a send, and wakes the driver when that is too long. */

import type { Clock } from '../runtime/clock.ts';
import type { Deadline, Deadlines } from '../runtime/deadlines.ts';
import type { Inbox } from './inbox.ts';

/** Whose silence it is. */
interface Listener {
  readonly ports: { readonly clock: Clock; readonly deadlines: Deadlines };
  readonly inbox: Inbox;
}

/** Begins when it is made. An object and no closures: those that an operation's objects hold live until the next full collection. */
export class Silence {
  readonly #listener: Listener;
  readonly #ms: number;
  #deadline: Deadline;

  constructor(listener: Listener, ms: number) {
    this.#listener = listener;
    this.#ms = ms;
    this.#deadline = this.#begin();
  }

  /** The server gave a sign of life: it begins anew. */
  heard(): void {
    this.#deadline.cancel();
    this.#deadline = this.#begin();
  }

  end(): void {
    this.#deadline.cancel();
  }

  #begin(): Deadline {
    const { ports, inbox } = this.#listener;
    return ports.deadlines.add(ports.clock.monotonic() + this.#ms, this.#ms, inbox);
  }
}
